"""Files of extractions: what is in them, and that no cut, no other schema and no other file is mistaken."""

from __future__ import annotations

import csv
import json
import resource
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cli.extracted import Document, Target, open_extractions
from tools.errors import InputError

RECEIPT = Target.of("receipt")
OWN = {"type": "object", "title": "ticket", "properties": {"b": {"type": "string"}, "a": {"type": "number"}}}
RESULT = {
    "schema": "receipt",
    "data": {"company": "=cmd()", "total": -12.5, "date": None, "line_items": [{"amount": 3.0}]},
    "fields": {"total": {"value": -12.5, "evidence": {"start": 0, "end": 6, "quote": "-12.50"}, "confidence": 0.9}},
    "warnings": [],
    "model": "readers",
    "document_id": None,
    "source_text": "-12.50",
}
FAILED = InputError("The document is damaged.", code="corrupt_document")


def document(name: str) -> Document:
    return Document(name, "ab" * 32)


def write(path: Path, *names: str, target: Target = RECEIPT) -> None:
    with open_extractions(path, target) as file:
        for name in names:
            file.add(document(name), FAILED if name.startswith("bad") else RESULT)


def paths_in(path: Path) -> list[str]:
    text = path.read_text("utf-8")
    if path.suffix == ".csv":
        return [row["path"] for row in csv.DictReader(text.splitlines())]
    return [json.loads(line)["path"] for line in text.splitlines()]


def test_a_line_of_json_holds_the_whole_result(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write(path, "a.txt", "bad.pdf")
    found, failed = (json.loads(line) for line in path.read_text().splitlines())
    assert (found["path"], found["sha256"], found["schema"], found["error"]) == ("a.txt", "ab" * 32, "receipt", None)
    assert found["fields"]["total"]["evidence"]["quote"] == "-12.50"
    assert found["data"] == RESULT["data"]
    assert "source_text" not in found
    assert failed["error"] == {"code": "corrupt_document", "message": "The document is damaged."}


def test_csv_has_a_column_a_field_in_the_schema_s_order_and_no_formulas(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write(path, "=a.txt", "bad.pdf")
    found, failed = csv.DictReader(path.read_text("utf-8").splitlines())
    assert list(found)[4:9] == ["error", "message", "company", "date", "address"]
    assert (found["path"], found["company"]) == ("'=a.txt", "'=cmd()")
    assert (found["total"], found["date"]) == ("-12.5", "")
    assert json.loads(found["line_items"]) == [{"amount": 3.0}]
    assert (failed["error"], failed["message"]) == ("corrupt_document", "The document is damaged.")
    write(tmp_path / "own.csv", target=Target.of(OWN))
    assert (tmp_path / "own.csv").read_text().endswith('"message","b","a"\n')


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_what_is_in_it_is_known_by_path_and_content(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    write(path, "-a.txt", "bad.pdf")
    with open_extractions(path, RECEIPT) as file:
        assert file.failed(document("-a.txt")) is False
        assert file.failed(document("bad.pdf")) is True
        assert file.failed(document("b.txt")) is None
        assert file.failed(Document("bad.pdf", "cd" * 32)) is None
        file.add(Document("gone.txt", None), FAILED)
    with open_extractions(path, RECEIPT) as file:
        assert file.failed(Document("gone.txt", None)) is True


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
@given(data=st.data())
def test_a_file_cut_anywhere_is_gone_on_with(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("cut") / f"out{suffix}"
    names = ["a.txt", "ü,\"'.txt", "bad.pdf", "c.txt"]
    write(path, *names)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with open_extractions(path, RECEIPT) as file:
        for name in names:
            if file.failed(document(name)) is None:
                file.add(document(name), FAILED if name.startswith("bad") else RESULT)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
@pytest.mark.parametrize(
    "other",
    [
        Target.of("invoice"),
        Target.of(OWN),
        Target("receipt", "00" * 32, RECEIPT.columns),
    ],
)
def test_another_schema_is_refused(tmp_path: Path, suffix: str, other: Target) -> None:
    path = tmp_path / f"out{suffix}"
    write(path, "a.txt")
    before = path.read_bytes()
    with pytest.raises(InputError, match="holds extractions into") as caught:
        write(path, "b.txt", target=other)
    assert caught.value.code == "schema_mismatch"
    assert path.read_bytes() == before


def test_the_order_of_a_schema_s_fields_is_part_of_it() -> None:
    turned: dict[str, Any] = {**OWN, "properties": dict(reversed(OWN["properties"].items()))}
    assert Target.of(turned).sha256 != Target.of(OWN).sha256


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
@pytest.mark.parametrize("text", ["a note", "a note\n", '{"path": 1}\n', "path,error\n1,2\n", "\x00\n"])
def test_a_file_of_something_else_is_not_touched(tmp_path: Path, suffix: str, text: str) -> None:
    path = tmp_path / f"notes{suffix}"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        write(path, "a.txt")
    assert caught.value.code == "invalid_output"
    assert path.read_text() == text


def test_a_damaged_record_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write(path, "a.txt", "b.txt")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[1].replace('"a.txt"', '"a.txt'), lines[2]]))
    with pytest.raises(InputError, match="after 0 records"):
        write(path, "c.txt")


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with open_extractions(path, RECEIPT), pytest.raises(InputError) as caught:
        write(path, "a.txt")
    assert caught.value.code == "output_in_use"


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        write(tmp_path / "nowhere" / "out.jsonl")
    assert caught.value.code == "unwritable_output"


def test_a_disk_that_takes_no_more_says_so_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write(path, "a.txt")
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        with pytest.raises(InputError, match="cannot be written"):
            write(path, "b.txt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.stat().st_size == size + 10
    write(path, "b.txt")
    assert paths_in(path) == ["a.txt", "b.txt"]


def test_names_of_schemas_are_checked_first() -> None:
    with pytest.raises(InputError, match="no schema 'poem'"):
        Target.of("poem")
