from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.errors import RowsError
from finetune.reader.rows import ReadingRow, held_out_titles, read_reading_rows

ROW = {"title": "A", "passage": "It is red.", "question": "What is it?", "answerable": True, "answers": ["red"]}


def test_rows_of_several_files_are_read(tmp_path: Path) -> None:
    files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for file in files:
        file.write_text(json.dumps(ROW) + "\n", encoding="utf-8")
    assert [row.answers for row in read_reading_rows(files)] == [("red",), ("red",)]


def test_all_unusable_rows_are_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    without = {name: value for name, value in ROW.items() if name != "passage"}
    file.write_text("\n".join([json.dumps(ROW), "{", json.dumps(without)]), encoding="utf-8")
    with pytest.raises(RowsError) as raised:
        read_reading_rows([file])
    assert set(raised.value.details["rows"]) == {2, 3}


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b""])
def test_a_file_that_is_no_text_or_empty_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(content)
    with pytest.raises(RowsError):
        read_reading_rows([file])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RowsError, match=r"gone\.jsonl"):
        read_reading_rows([tmp_path / "gone.jsonl"])


def test_documents_of_both_kinds_are_held_out_whole() -> None:
    near = [ReadingRow.model_validate({**ROW, "title": f"near {n}", "answerable": n % 2 == 0}) for n in range(16)]
    plain = [ReadingRow.model_validate({**ROW, "title": f"plain {n}"}) for n in range(10)]
    held_out = held_out_titles([*near, *plain])
    assert held_out == held_out_titles([*plain, *reversed(near)])
    assert any(title.startswith("near") for title in held_out)
    assert any(title.startswith("plain") for title in held_out)
    assert len(held_out) < 13
