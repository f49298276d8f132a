"""What tests promise without a figure of their own: which cases there are, and how many of them fail."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.e2e.process import ROOT

_LIMIT_S = 1800


@dataclass(frozen=True)
class Promise:
    """A promise, and the tests that hold the server to it; `only` is pytest's `-k`."""

    says: str
    tests: Sequence[str]
    only: str = ""


PROMISES = (
    Promise(
        "4 and 20 turns at once on a thread, every strategy: what is stored is what the reference server stores",
        ("tests/server/langgraph/test_concurrency.py", "tests/studio/test_same_as_reference.py"),
    ),
    Promise(
        "after a reader left a run that ends with it: no further step of the graph",
        ("tests/server/langgraph/test_concurrency.py",),
        "leaves_takes",
    ),
    Promise(
        "another owner's ids, every operation that takes one: 404, and nothing changes",
        ("tests/server/test_owners.py", "tests/server/langgraph/test_owners.py"),
    ),
    Promise(
        "attacks on the graph, the server, its protocols and the page: none changes route, answer or citations",
        (
            "tests/graphs/test_attacks.py",
            "tests/server/test_attacks.py",
            "tests/server/langgraph/test_attacks.py",
            "tests/browser/test_attacks.py",
        ),
    ),
    Promise(
        "unmodified clients: langgraph-sdk in Python and JavaScript, useStream in a browser, openai, langchain-openai",
        (
            "tests/server/langgraph/test_python_sdk.py",
            "tests/server/langgraph/test_javascript_sdk.py",
            "tests/browser/test_use_stream.py",
            "tests/server/openai",
        ),
    ),
)


@dataclass(frozen=True)
class Kept:
    """How a promise's cases ended."""

    says: str
    cases: int
    failed: int
    skipped: int


def check(promise: Promise) -> Kept:
    """Run a promise's tests in a process of their own."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        chosen = ["-k", promise.only] if promise.only else []
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *chosen, *promise.tests]
        subprocess.run(command, cwd=ROOT, check=False, timeout=_LIMIT_S, stdout=subprocess.DEVNULL)
        [suite] = ElementTree.parse(report).iter("testsuite")
    counts = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
    return Kept(promise.says, counts["tests"], counts["failures"] + counts["errors"], counts["skipped"])
