"""fastembed, imported on first use: a server is ready a good half second before its first question needs it."""

from __future__ import annotations

import threading
from importlib import import_module
from types import ModuleType

_importing = threading.Lock()


def fastembed_module(name: str = "fastembed") -> ModuleType:
    """The library or a module of it. One thread imports at a time.

    Its modules import each other in a circle: of two threads that enter it at different ends, one would find a module
    that is not complete.
    """
    with _importing:
        import_module("fastembed")
        return import_module(name)
