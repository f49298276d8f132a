"""`switchyard extract --output`: files and folders, failures, a kill in the middle, and going on."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.cli.main import app
from tests.fakes.endpoint import FakeEndpoint, Reply, scripted
from tests.server.site import Site

RECEIPT = "Corner Cafe\n12 High Street\nReceipt\nDate: 3 May 2026\nTotal: {total} EUR\nPaid by card\n"
# Nobody but the model can say what the motto is.
OWN = {"type": "object", "title": "club", "properties": {"motto": {"type": "string"}}}
CLUB = "The members of club {name} gathered again. Long ago somebody had proposed a motto\n"
_KILL_S = 60

Extract = Callable[..., Result]


@pytest.fixture
def environment(site: Site, tmp_path: Path) -> dict[str, str]:
    """A data directory that the test's server owns."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "server.json").write_text(json.dumps({"url": site.url, "pid": os.getpid()}))
    return {"SWITCHYARD_DATA_DIR": str(folder)}


@pytest.fixture
def extract(environment: dict[str, str]) -> Extract:
    def invoke(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, ["extract", *map(str, arguments)], env=environment)

    return invoke


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three receipts, a file that is damaged, and files that are none of ours."""
    folder = tmp_path / "receipts"
    (folder / "more").mkdir(parents=True)
    for name, total in (("a.txt", "12.50"), ("c.md", "7.00"), ("more/d.txt", "1.20")):
        (folder / name).write_text(RECEIPT.format(total=total))
    (folder / "b.pdf").write_bytes(b"%PDF-1.7 nothing more")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n")
    (folder / ".hidden.txt").write_text("hidden")
    return folder


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def totals(path: Path) -> dict[str, Any]:
    return {Path(each["path"]).name: each.get("data", {}).get("total") for each in records(path)}


def test_a_folder_becomes_a_record_a_document(extract: Extract, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = extract(folder, folder / "a.txt", "--schema", "receipt", "--output", out)
    assert result.exit_code == 1
    assert totals(out) == {"a.txt": 12.5, "b.pdf": None, "c.md": 7.0, "d.txt": 1.2}
    first, failed = records(out)[:2]
    evidence = first["fields"]["total"]["evidence"]
    assert evidence["quote"] in RECEIPT.format(total="12.50")
    assert failed["error"]["code"] == "corrupt_document"
    assert "3 extracted, 0 already in" in result.stderr
    assert "1 failed." in result.stderr
    assert "b.pdf  The document is damaged" in result.stderr
    assert result.stdout == ""


def test_the_same_in_csv(extract: Extract, folder: Path) -> None:
    out = folder / "out.csv"
    assert extract(folder, "--schema", "receipt", "--output", out).exit_code == 1
    assert extract(folder, "--schema", "receipt", "--output", out).exit_code == 1
    assert [(Path(row["path"]).name, row["error"], row["total"]) for row in rows(out)] == [
        ("a.txt", "", "12.5"),
        ("b.pdf", "corrupt_document", ""),
        ("c.md", "", "7.0"),
        ("d.txt", "", "1.2"),
    ]


def test_started_again_it_reads_only_what_is_new_or_changed(extract: Extract, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    extract(folder, "--schema", "receipt", "--output", out)
    before = out.read_bytes()
    again = extract(folder, "--schema", "receipt", "--output", out)
    assert again.exit_code == 1, "a file in the output has failed"
    assert out.read_bytes() == before
    assert "0 extracted, 4 already in" in again.stderr
    (folder / "a.txt").write_text(RECEIPT.format(total="99.00"))
    (folder / "b.pdf").unlink()
    (folder / "new.txt").write_text(RECEIPT.format(total="5.00"))
    assert extract(folder, "--schema", "receipt", "--output", out).exit_code == 0
    assert out.read_bytes().startswith(before)
    assert totals(out) == {"a.txt": 99.0, "b.pdf": None, "c.md": 7.0, "d.txt": 1.2, "new.txt": 5.0}


def test_failed_files_can_be_tried_again(extract: Extract, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    extract(folder, "--schema", "receipt", "--output", out)
    again = extract(folder, "--schema", "receipt", "--output", out, "--retry-failed")
    assert (len(records(out)), again.exit_code) == (5, 1)
    assert "0 extracted, 3 already in" in again.stderr


def test_a_file_that_cannot_be_read_is_a_record(extract: Extract, tmp_path: Path) -> None:
    # The system refuses to read another process's memory map at offset 0, also to root.
    out = tmp_path / "out.jsonl"
    result = extract(Path("/proc/self/mem"), "--schema", "receipt", "--output", out)
    assert result.exit_code == 1
    (record,) = records(out)
    assert (record["sha256"], record["error"]["code"]) == (None, "unreadable_file")
    assert extract(Path("/proc/self/mem"), "--schema", "receipt", "--output", out).exit_code == 1
    assert len(records(out)) == 1


def test_a_name_that_is_no_utf8_is_written_down(extract: Extract, tmp_path: Path) -> None:
    folder = tmp_path / "names"
    folder.mkdir()
    for name in (b"caf\xe9.txt", b"two\nlines.txt"):
        (folder / os.fsdecode(name)).write_text(RECEIPT.format(total="1.00"))
    out = tmp_path / "out.csv"
    assert extract(folder, "--schema", "receipt", "--output", out).exit_code == 0
    assert {Path(row["path"]).name for row in rows(out)} == {r"caf\xe9.txt", r"two\nlines.txt"}
    assert "2 already in" in extract(folder, "--schema", "receipt", "--output", out).stderr


def test_an_empty_folder_and_a_missing_file_are_refused(extract: Extract, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    empty = extract(tmp_path / "empty", "--schema", "receipt", "--output", tmp_path / "out.jsonl")
    assert empty.exit_code == 1
    assert "No file that can be read" in empty.stderr
    assert extract(tmp_path / "no", "--schema", "receipt", "--output", tmp_path / "out.jsonl").exit_code == 2
    assert not (tmp_path / "out.jsonl").exists()


def test_another_schema_in_the_same_file_is_refused(extract: Extract, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text(json.dumps({"type": "object", "properties": {"total": {"type": "number"}}}))
    two.write_text(json.dumps({"type": "object", "properties": {"total": {"type": "string"}}}))
    assert extract(folder / "a.txt", "--schema", one, "--output", out).exit_code == 0
    before = out.read_bytes()
    for schema in (two, "receipt"):
        result = extract(folder / "c.md", "--schema", schema, "--output", out)
        assert result.exit_code == 1
        assert "(schema_mismatch)" in result.stderr
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["a", "b", "--schema", "receipt"],
        [".", "--schema", "receipt"],
        [".", "--schema", "receipt", "--output", "out.xlsx"],
        [".", "--schema", "receipt", "--output", "out.csv", "--json"],
        ["-", "--schema", "receipt", "--output", "out.csv"],
        ["a", "--schema", "receipt", "--retry-failed"],
    ],
)
def test_what_does_not_go_together_is_refused(extract: Extract, arguments: list[str]) -> None:
    assert extract(*arguments).exit_code == 2


def test_an_unknown_schema_is_refused_before_anything_is_read(
    extract: Extract, folder: Path, tmp_path: Path, fake: FakeEndpoint
) -> None:
    result = extract(folder, "--schema", "poem", "--output", tmp_path / "out.jsonl")
    assert "There is no schema 'poem'" in result.stderr
    assert not (tmp_path / "out.jsonl").exists()
    assert fake.requests == []


class _LeavesAtOnce(BaseHTTPRequestHandler):
    """Alive, and gone as soon as it has something to do."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None: ...


def test_a_server_that_is_gone_stops_it_and_no_file_is_said_to_have_failed(
    extract: Extract, folder: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    out, address = tmp_path / "out.jsonl", Path(environment["SWITCHYARD_DATA_DIR"]) / "server.json"
    before = address.read_text()
    with ThreadingHTTPServer(("127.0.0.1", 0), _LeavesAtOnce) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        address.write_text(json.dumps({"url": url, "pid": os.getpid()}))
        result = extract(folder / "a.txt", folder / "c.md", "--schema", "receipt", "--output", out)
        server.shutdown()
    assert result.exit_code == 1
    assert "connection to the server was lost" in result.stderr
    assert records(out) == []
    address.write_text(before)
    assert extract(folder / "a.txt", "--schema", "receipt", "--output", out).exit_code == 0


def test_a_kill_in_the_middle_loses_nothing_and_repeats_nothing(
    extract: Extract, environment: dict[str, str], tmp_path: Path, fake: FakeEndpoint
) -> None:
    folder, out, schema = tmp_path / "clubs", tmp_path / "out.jsonl", tmp_path / "own.json"
    folder.mkdir()
    names = [f"{letter}.txt" for letter in "abcdefgh"]
    for name in names:
        (folder / name).write_text(CLUB.format(name=name))
    schema.write_text(json.dumps(OWN))
    opened = Event()

    def held(body: dict[str, Any]) -> Reply:
        first = any(f"club {name}" in body["messages"][-1]["content"] for name in names[:3])
        return scripted(body) if first else Reply("{}", hold=opened, hold_after=0)

    fake.script = held
    command = [sys.executable, "-c", "from server.cli.main import main; main()", "extract", str(folder)]
    command += ["--schema", str(schema), "--output", str(out)]
    process = subprocess.Popen(command, env=os.environ | environment)
    try:
        deadline = time.monotonic() + _KILL_S
        while not out.exists() or out.read_bytes().count(b"\n") < 3:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        opened.set()
    kept = out.read_bytes()
    assert kept.count(b"\n") == 3
    # As a kill within the write of the fourth record leaves it.
    out.write_bytes(kept + kept[: kept.index(b"\n") // 2])
    fake.script = scripted
    fake.requests.clear()
    assert extract(folder, "--schema", schema, "--output", out).exit_code == 0
    assert out.read_bytes().startswith(kept)
    assert [Path(each["path"]).name for each in records(out)] == names
    asked = " ".join(body["messages"][-1]["content"] for body in fake.requests)
    assert [name for name in names if f"club {name}" in asked] == names[3:]
