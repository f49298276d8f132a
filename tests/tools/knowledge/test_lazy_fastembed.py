"""Threads that need fastembed first at the same time all get it."""

from __future__ import annotations

import subprocess
import sys

_AT_ONCE = """
import threading
from tools.knowledge.lazy_fastembed import fastembed_module

names = ["fastembed.sparse.bm25", "fastembed", "fastembed.common.model_description", "fastembed.sparse"] * 2
found, start = [], threading.Barrier(len(names))

def need(name):
    start.wait()
    found.append(fastembed_module(name).__name__)

threads = [threading.Thread(target=need, args=[name]) for name in names]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert sorted(found) == sorted(names), found
"""


def test_threads_that_enter_at_different_ends_find_it_whole() -> None:
    ran = subprocess.run([sys.executable, "-c", _AT_ONCE], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
