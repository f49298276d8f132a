"""Scans through programs that recognise text: real little ones, which work, fail, hang or write nonsense."""

from __future__ import annotations

import shlex
import sys
import threading
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from agent.settings import Settings
from tests.tools.knowledge.files import lines_pdf, policy_pdf, scanned_pdf
from tools.errors import DocumentError
from tools.knowledge.load import parse_file
from tools.knowledge.ocr import Ocr

WORKS = """
import json, os, resource, shutil, sys
source, target, ready = sys.argv[1:]
assert open(source, 'rb').read(5) == b'%PDF-'
shutil.copy(ready, target)
"""


def program(folder: Path, body: str, *arguments: str, timeout_s: float = 30) -> Ocr:
    """A Python program as the OCR command."""
    script = folder / "recognise text.py"
    script.write_text(body)
    words = (sys.executable, str(script), "{input}", "{output}", *arguments)
    return Ocr.of(shlex.join(words), timeout_s)


def refusal(ocr: Ocr | None, stopping: threading.Event | None = None) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse_file(scanned_pdf(), "scan.pdf", ocr=ocr, stopping=stopping)
    return caught.value


def test_a_scan_is_read_through_the_program(tmp_path: Path) -> None:
    ready = tmp_path / "ready.pdf"
    ready.write_bytes(lines_pdf([["Refunds above 40 euros need a receipt."], ["Page two says more."]]))
    document = parse_file(scanned_pdf(), "scan.pdf", ocr=program(tmp_path, WORKS, str(ready)))
    assert [page.number for page in document.pages] == [1, 2]
    assert "Refunds above 40 euros need a receipt." in document.text
    assert document.metadata["ocr"] is True


def test_a_pdf_with_text_does_not_go_through_the_program(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    ocr = program(tmp_path, f"open({str(ran)!r}, 'w')")
    document = parse_file(policy_pdf(), "policy.pdf", ocr=ocr)
    assert "ocr" not in document.metadata
    assert not ran.exists()


def test_without_a_program_the_refusal_names_the_setting() -> None:
    error = refusal(None)
    assert error.code == "no_text"
    assert "SWITCHYARD_OCR_COMMAND" in error.message


@pytest.mark.parametrize(
    "body",
    [
        "raise SystemExit(3)",
        "pass",
        "import sys; open(sys.argv[2], 'w').close()",
        "import os, sys; os.symlink('/etc/passwd', sys.argv[2])",
    ],
    ids=["fails", "writes nothing", "writes an empty file", "writes a link"],
)
def test_a_program_that_gives_no_file_has_failed(tmp_path: Path, body: str) -> None:
    assert refusal(program(tmp_path, body)).code == "ocr_failed"


def test_what_the_program_writes_is_parsed_like_any_upload(tmp_path: Path) -> None:
    nonsense = program(tmp_path, "import sys; open(sys.argv[2], 'w').write('no PDF at all')")
    assert refusal(nonsense).code == "corrupt_document"
    still = tmp_path / "still.pdf"
    still.write_bytes(scanned_pdf())
    assert refusal(program(tmp_path, WORKS, str(still))).code == "no_text"


def test_a_program_that_is_not_there_has_failed() -> None:
    assert refusal(Ocr.of("/nowhere/ocr {input} {output}", 30)).code == "ocr_failed"


def test_a_program_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    body = "import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    assert refusal(program(tmp_path, body + "time.sleep(600)", timeout_s=1)).code == "ocr_timeout"
    assert not [one for one in psutil.Process().children(recursive=True) if "sleep(600)" in " ".join(one.cmdline())]


def test_a_program_that_computes_for_ever_is_ended(tmp_path: Path) -> None:
    assert refusal(program(tmp_path, "while True: pass", timeout_s=1)).code == "ocr_timeout"


def test_a_stopped_server_ends_the_program(tmp_path: Path) -> None:
    stopping = threading.Event()
    ocr = program(tmp_path, "import time; time.sleep(600)")
    stopping.set()
    assert refusal(ocr, stopping).code == "interrupted"


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    body = "import sys; open(sys.argv[2], 'wb').write(b'%PDF-' + bytes(2_000_000))"
    assert refusal(Ocr(program(tmp_path, body).command, 30, max_bytes=1_000_000)).code == "ocr_failed"


def test_the_program_sees_neither_the_environment_nor_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHYARD_API_KEY", "secret")
    noted = tmp_path / "noted"
    body = (
        "import os, sys\n"
        "assert 'SWITCHYARD_API_KEY' not in os.environ\n"
        "assert sys.argv[3] == '$(id); a b'\n"
        "assert os.getcwd() == os.path.realpath(os.environ['TMPDIR'])\n"
        f"open({str(noted)!r}, 'w').close()\n"
    )
    ocr = program(tmp_path, body, "$(id); a b")
    assert refusal(ocr).code == "ocr_failed"
    assert noted.exists()


@pytest.mark.parametrize("command", ["ocrmypdf {input}", "ocrmypdf", "", "ocr '{input} {output}"])
def test_a_command_that_cannot_work_is_refused_at_the_start(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHYARD_OCR_COMMAND", command)
    with pytest.raises(ValidationError, match="ocr_command"):
        Settings()


def test_the_setting_becomes_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().ocr is None
    monkeypatch.setenv("SWITCHYARD_OCR_COMMAND", "ocrmypdf --skip-text {input} {output}")
    monkeypatch.setenv("SWITCHYARD_OCR_TIMEOUT_S", "60")
    assert Settings().ocr == Ocr(("ocrmypdf", "--skip-text", "{input}", "{output}"), timeout_s=60)
