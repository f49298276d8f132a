"""Text recognition for scans: a program of the operator's that gives a PDF a text layer.

It is run without a shell, in an empty folder that is removed afterwards, in a session of its own so that a time-out
ends it with everything it started, with limits on processor time, memory and the size of files, and without the
server's environment. POSIX only.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from tools.errors import DocumentError
from tools.knowledge.parsers.raw import MEBIBYTE

INPUT, OUTPUT = "{input}", "{output}"
# Limits are set by a process that then becomes the program: in this one, with threads, nothing may run after a fork.
_START = (
    "import json, os, resource, sys\n"
    "for name, most in json.loads(sys.argv[1]).items():\n"
    "    resource.setrlimit(getattr(resource, name), (most, most))\n"
    "try:\n"
    "    os.execvp(sys.argv[2], sys.argv[2:])\n"
    "except OSError:\n"
    "    sys.exit(127)\n"
)
_NOT_STARTED = 127
_LOOK_S = 0.1
_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Ocr:
    """A program that reads the PDF at `{input}` and writes a searchable PDF to `{output}`.

    Each process of it may use `timeout_s` seconds of processor time and `memory_bytes` of memory, and write files of
    `max_bytes`.
    """

    command: tuple[str, ...]
    timeout_s: float = 300.0
    max_bytes: int = 200 * MEBIBYTE
    memory_bytes: int = 4096 * MEBIBYTE

    @classmethod
    def of(cls, command: str, timeout_s: float) -> Ocr:
        """Split a command line as a shell would, without one.

        Raises:
            ValueError: a quotation is not closed, or `{input}` or `{output}` is missing.
        """
        words = tuple(shlex.split(command))
        if missing := [place for place in (INPUT, OUTPUT) if not any(place in word for word in words)]:
            raise ValueError(f"the command does not say where {' and '.join(missing)} goes")
        return cls(words, timeout_s)

    def searchable(self, pdf: bytes, stopping: Event) -> bytes:
        """The PDF with a text layer. Blocks for at most `timeout_s` seconds, or until `stopping` is set.

        Raises:
            DocumentError: `ocr_failed`, `ocr_timeout` or `interrupted`.
        """
        with tempfile.TemporaryDirectory(prefix="ocr-") as folder:
            source, target = Path(folder) / "input.pdf", Path(folder) / "output.pdf"
            source.write_bytes(pdf)
            self._run(source, target, stopping)
            return self._result(target)

    def _run(self, source: Path, target: Path, stopping: Event) -> None:
        words = [word.replace(INPUT, str(source)).replace(OUTPUT, str(target)) for word in self.command]
        limits = {
            "RLIMIT_CORE": 0,
            "RLIMIT_CPU": max(1, int(self.timeout_s)),
            "RLIMIT_AS": self.memory_bytes,
            "RLIMIT_FSIZE": self.max_bytes,
        }
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, json.dumps(limits), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=source.parent,
            env={
                "PATH": os.environ.get("PATH", _PATH),
                "HOME": str(source.parent),
                "TMPDIR": str(source.parent),
                "LANG": "C.UTF-8",
            },
            start_new_session=True,
        )
        try:
            status = _wait(process, time.monotonic() + self.timeout_s, stopping)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if status == -signal.SIGXCPU:
            raise _too_slow()
        if status == _NOT_STARTED:
            raise DocumentError(
                "The program that recognises text (SWITCHYARD_OCR_COMMAND) cannot be run; the operator can mend that.",
                code="ocr_failed",
            )
        if status != 0:
            raise _failed()

    def _result(self, target: Path) -> bytes:
        try:
            with open(os.open(target, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:  # noqa: PTH123 - a descriptor
                content = file.read(self.max_bytes + 1)
        except OSError:
            raise _failed() from None
        if not content or len(content) > self.max_bytes:
            raise _failed()
        return content


def _wait(process: subprocess.Popen[bytes], deadline: float, stopping: Event) -> int:
    while time.monotonic() < deadline:
        if stopping.is_set():
            raise DocumentError("Reading the document was stopped. Try it again.", code="interrupted")
        with suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=_LOOK_S)
    raise _too_slow()


def _too_slow() -> DocumentError:
    return DocumentError(
        "Recognising the scan's text took too long. Split it into smaller files, or upload a PDF with a text layer.",
        code="ocr_timeout",
    )


def _failed() -> DocumentError:
    return DocumentError(
        "The program that recognises text (SWITCHYARD_OCR_COMMAND) failed on this scan. Upload a PDF with text in it.",
        code="ocr_failed",
    )
