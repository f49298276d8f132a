from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tools.errors import DocumentError
from tools.knowledge import sandbox
from tools.knowledge.parsers.detect import Format
from tools.knowledge.parsers.raw import DEFAULT_LIMITS, ParseLimits, RawDocument

HEADER = "import os, socket, subprocess, sys, time\nfrom tools.knowledge.parsers.raw import RawDocument, RawPage\n"


@pytest.fixture
def parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a parser's body in the sandbox as if it were one of the formats."""

    def run(
        body: str,
        limits: ParseLimits = DEFAULT_LIMITS,
        data: bytes = b"input",
        stopping: threading.Event | None = None,
    ) -> RawDocument:
        indented = "\n".join(f"    {line}" for line in body.splitlines())
        (tmp_path / "hostile.py").write_text(f"{HEADER}def parse(data, limits):\n{indented}\n", encoding="utf-8")
        start = sandbox._START.replace("from tools", f"sys.path.append({str(tmp_path)!r}); from tools")
        monkeypatch.setattr(sandbox, "_START", start)
        monkeypatch.setitem(sandbox._MODULES, Format.PDF, "hostile")
        return sandbox.parse_sandboxed(Format.PDF, data, limits, stopping)

    return run


def code(run, body: str, limits: ParseLimits = DEFAULT_LIMITS) -> str:
    with pytest.raises(DocumentError) as caught:
        run(body, limits)
    return caught.value.code


def parsers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "tools.knowledge" in " ".join(child.cmdline())]


def test_result_comes_back_repaired(parser) -> None:
    document = parser("return RawDocument([RawPage(data.decode() + 'a\\x00\\ud800\\ufb01', 3)], 'T', {'k': [1]})")
    assert [(page.text, page.number) for page in document.pages] == [("inputa\ufffdfi", 3)]
    assert (document.title, document.metadata) == ("T", {"k": [1]})


def test_wall_clock_limit_kills_a_sleeping_parser(parser) -> None:
    start = time.monotonic()
    assert code(parser, "time.sleep(60)", ParseLimits(wall_seconds=1.0)) == "parse_timeout"
    assert time.monotonic() - start < 10
    assert not parsers()


def test_a_parser_at_work_ends_when_its_server_stops(parser) -> None:
    stopping = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(parser, "time.sleep(60)", stopping=stopping)
        while not parsers():
            assert not reading.done()
        stopping.set()
        with pytest.raises(DocumentError) as caught:
            reading.result()
    assert caught.value.code == "interrupted"
    assert not parsers()


def test_cpu_limit_ends_a_spinning_parser(parser) -> None:
    start = time.monotonic()
    assert code(parser, "while True: pass", ParseLimits(cpu_seconds=1, wall_seconds=60)) == "parse_timeout"
    assert time.monotonic() - start < 30


def test_memory_limit(parser) -> None:
    limits = ParseLimits(memory_bytes=300 << 20)
    assert code(parser, "return [bytearray(10 << 20) for _ in range(100)]", limits) == "document_too_complex"


def test_output_limits(parser) -> None:
    limits = ParseLimits(max_characters=1000)
    assert code(parser, "return RawDocument([RawPage('x' * 1001)])", limits) == "document_too_complex"
    flood = "while True: os.write(1, b'x' * 65536)"
    assert code(parser, flood, ParseLimits(max_characters=1000, wall_seconds=30)) == "document_too_complex"


@pytest.mark.parametrize(
    "body",
    [
        "raise KeyError('pypdf does this')",
        "return parse(data, limits)",  # endless recursion
        "os.abort()",
        "os._exit(0)",
        "sys.stdout.write('{\"document\": 1'); os._exit(0)",
        'sys.stdout.write(\'{"document": {"pages": 7}}\'); sys.stdout.flush(); os._exit(0)',
    ],
)
def test_broken_parsers_are_a_corrupt_document(parser, body: str) -> None:
    assert code(parser, body) == "corrupt_document"


@pytest.mark.parametrize(
    "body",
    [
        "socket.socket()",
        "subprocess.Popen(['true'])",
        "os.system('true')",
        "os.fork()",
        "open('/tmp/switchyard-sandbox-test', 'w').write('x')",
        "open('switchyard-sandbox-test', 'w').write('x')",
    ],
)
def test_a_parser_has_no_network_processes_or_files(parser, body: str) -> None:
    assert code(parser, f"{body}\nreturn RawDocument([RawPage('escaped')])") == "corrupt_document"


def test_a_parser_sees_no_environment(parser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    document = parser("return RawDocument([RawPage(repr(sorted(os.environ)) + os.getcwd())])")
    assert "OPENAI" not in document.pages[0].text


def test_document_errors_keep_code_message_and_details(parser) -> None:
    body = "from tools.errors import DocumentError\nraise DocumentError('Too long.', code='too_many_pages', pages=9)"
    with pytest.raises(DocumentError) as caught:
        parser(body)
    assert (caught.value.code, caught.value.message, caught.value.details) == (
        "too_many_pages",
        "Too long.",
        {"pages": 9},
    )


def test_starts_quickly() -> None:
    times: list[float] = []
    for _ in range(3):
        start = time.monotonic()
        sandbox.parse_sandboxed(Format.EML, b"From: a@example.com\nSubject: x\n\nbody", DEFAULT_LIMITS)
        times.append(time.monotonic() - start)
    assert min(times) < 2.0
