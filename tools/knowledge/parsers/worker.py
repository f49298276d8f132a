"""The sandboxed end of `tools.knowledge.sandbox`: limits itself, parses standard input, writes one JSON object.

`{"document": {...}}` or `{"error": {"code", "message", "details"}}`. It imports as little as it can: every upload pays.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from tools.errors import DocumentError
from tools.knowledge.parsers.raw import ParseLimits, RawDocument, RawPage
from tools.knowledge.unicode import repair

_REFUSED_CALLS = (
    "exec fork posix_spawn spawn system kill remove rename mkdir rmdir link symlink truncate chmod chown".split()
)
_REFUSED_EVENTS = ("socket.", "subprocess.", "pty.", "ctypes.", *(f"os.{call}" for call in _REFUSED_CALLS))
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_OPEN_FILES = 64
_STACK_DEPTH = 3000


def main() -> None:
    """Parse standard input as the format and within the limits that the arguments give."""
    module, limits_json = sys.argv[1:]
    limits = ParseLimits(**json.loads(limits_json))
    parse: Callable[[bytes, ParseLimits], RawDocument] = importlib.import_module(module).parse
    _confine(limits)
    try:
        reply: dict[str, Any] = {"document": asdict(_repaired(parse(sys.stdin.buffer.read(), limits), limits))}
    except DocumentError as error:
        reply = _error(error)
    except MemoryError:
        reply = _error(_too_complex())
    except Exception:  # noqa: BLE001 - the process edge: parsers of hostile files fail in any way they like
        reply = _error(_corrupt())
    sys.stdout.write(json.dumps(reply))


def _confine(limits: ParseLimits) -> None:
    """Take away what a parser never needs: memory, time, files, processes, the network."""
    sys.setrecursionlimit(_STACK_DEPTH)
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_REFUSED_EVENTS) or (event == "open" and arguments[2] & _WRITING):
        raise PermissionError(event)


def _repaired(document: RawDocument, limits: ParseLimits) -> RawDocument:
    pages = [RawPage(repair(page.text), page.number) for page in document.pages]
    if sum(len(page.text) for page in pages) > limits.max_characters:
        raise DocumentError(
            f"The document holds more than {limits.max_characters:,} characters. Split it into smaller files.",
            code="document_too_complex",
        )
    return replace(document, pages=pages, title=repair(document.title) if document.title else None)


def _error(error: DocumentError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message, "details": error.details}}


def _too_complex() -> DocumentError:
    return DocumentError(
        "Reading this document takes more memory than allowed. Split it into smaller files.",
        code="document_too_complex",
    )


def _corrupt() -> DocumentError:
    return DocumentError(
        "The document is damaged and cannot be read. Open it, save it again and upload the new copy.",
        code="corrupt_document",
    )


if __name__ == "__main__":
    main()
