"""Parses untrusted files in a subprocess with limits on memory, CPU, time and output; nothing is unpickled.

The child starts isolated (`-I`: no environment, no user site, no current directory), in a session of its own so that a
time-out kills it with everything it started, and has no environment variables. POSIX only.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from tools.errors import DocumentError
from tools.knowledge.parsers.detect import Format
from tools.knowledge.parsers.raw import ParseLimits, RawDocument

_MODULES = {
    Format.HTML: "tools.knowledge.parsers.html",
    Format.EML: "tools.knowledge.parsers.eml",
    Format.PDF: "tools.knowledge.parsers.pdf",
    Format.DOCX: "tools.knowledge.parsers.docx",
}
_ROOT = Path(__file__).parents[2]
_START = "import sys; sys.path.append(sys.argv.pop(1)); from tools.knowledge.parsers.worker import main; main()"
_BLOCK = 1 << 16
# JSON escapes a character to at most twelve bytes; the rest is the frame.
_BYTES_PER_CHARACTER = 12
_FRAME = 1 << 20
_LOOK_S = 0.25
_CPU_SIGNALS = (-signal.SIGXCPU, -signal.SIGKILL)


class _WireError(BaseModel):
    code: str
    message: str
    details: dict[str, Any]


class _Reply(BaseModel):
    document: dict[str, Any] | None = None
    error: _WireError | None = None


_DOCUMENT = TypeAdapter(RawDocument)


def parse_sandboxed(
    format_: Format, data: bytes, limits: ParseLimits, stopping: threading.Event | None = None
) -> RawDocument:
    """Parse a file in a fresh subprocess. Blocks for at most `limits.wall_seconds`, or until `stopping` is set.

    Raises:
        DocumentError: what the parser found, `parse_timeout`, `document_too_complex` or `interrupted`.
    """
    return _run(_MODULES[format_], data, limits, stopping or threading.Event())


def _run(module: str, data: bytes, limits: ParseLimits, stopping: threading.Event) -> RawDocument:
    deadline = time.monotonic() + limits.wall_seconds
    with _as_file(data) as source:
        process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-c", _START, str(_ROOT), module, json.dumps(asdict(limits))],
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            start_new_session=True,
        )
    try:
        output = _read(process, deadline, _FRAME + _BYTES_PER_CHARACTER * limits.max_characters, stopping)
        status = process.wait(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _timeout() from None
    finally:
        _kill(process)
    if status in _CPU_SIGNALS:
        raise _timeout()
    return _document(output)


def _as_file(data: bytes) -> IO[bytes]:
    """Hand the bytes over as a file: no thread has to feed a pipe, and on Linux nothing touches the disk."""
    file = open(os.memfd_create("document"), "w+b") if sys.platform == "linux" else tempfile.TemporaryFile()  # noqa: PTH123, SIM115
    file.write(data)
    file.seek(0)
    return file


def _read(process: subprocess.Popen[bytes], deadline: float, cap: int, stopping: threading.Event) -> bytes:
    assert process.stdout is not None
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while len(output) <= cap:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise _timeout()
            if stopping.is_set():
                raise DocumentError("Reading the document was stopped. Try it again.", code="interrupted")
            if not selector.select(min(remaining, _LOOK_S)):
                continue
            block = os.read(process.stdout.fileno(), _BLOCK)
            if not block:
                return bytes(output)
            output += block
    raise DocumentError("The document holds too much text. Split it into smaller files.", code="document_too_complex")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started, and reap it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()
    process.wait()


def _document(output: bytes) -> RawDocument:
    try:
        reply = _Reply.model_validate_json(output)
        if reply.error is None:
            return _DOCUMENT.validate_python(reply.document)
    except ValidationError:
        # The interpreter itself died: a native crash, or an import that found no memory.
        raise DocumentError(
            "The document could not be read. Open it, save it again and upload the new copy.", code="corrupt_document"
        ) from None
    raise DocumentError(reply.error.message, code=reply.error.code, **reply.error.details)


def _timeout() -> DocumentError:
    return DocumentError(
        "Reading the document took too long. Split it into smaller files or save it in a simpler form.",
        code="parse_timeout",
    )
