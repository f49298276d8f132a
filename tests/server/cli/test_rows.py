from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cli.rows import Row, _csv_rows, _json_rows, read_rows
from tools.errors import InputError


def test_lines_of_json_keep_their_numbers(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('\ufeff{"amount": 1}\n\nnot json\n[1]\n{"text": "5 EUR at a bakery"}\n', encoding="utf-8")
    rows = read_rows(file)
    assert [(row.line, row.problem) for row in rows] == [
        (1, None),
        (3, "The line is not valid JSON."),
        (4, "The line is not a JSON object."),
        (5, None),
    ]
    assert rows[0].body == {"transaction": {"amount": 1}}
    assert rows[3].body == {"text": "5 EUR at a bakery"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_rows_are_named_by_the_header(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "rows.csv"
    lines = (["amount", "merchant"], ["5", '"a\nb"'], ["6"], ["7", "c"])
    file.write_text("\n".join(delimiter.join(cells) for cells in lines))
    rows = read_rows(file)
    assert [row.fields for row in rows] == [{"amount": "5", "merchant": "a\nb"}, {}, {"amount": "7", "merchant": "c"}]
    assert [row.line for row in rows] == [3, 4, 5]
    assert rows[1].problem == "The line has 1 columns, the header 2."


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "empty_file"), (b"\n \n", "empty_file"), (b'{"a": "\xff"}', "bad_encoding")]
)
def test_files_without_rows_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_rows(file)
    assert caught.value.code == code


def test_csv_beyond_bounds_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text('a\n"' + "x" * 2000)
    limit = csv.field_size_limit(1000)
    try:
        with pytest.raises(InputError, match="not CSV"):
            read_rows(file)
    finally:
        csv.field_size_limit(limit)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_rows(tmp_path / "none.jsonl")


@given(st.text())
def test_any_text_gives_rows_or_problems(text: str) -> None:
    for row in (*_json_rows(text), *_csv_rows(text)):
        assert isinstance(row, Row)
        assert row.line >= 1


@given(st.lists(st.dictionaries(st.text(), st.one_of(st.integers(), st.text())), min_size=1))
def test_json_objects_come_back(objects: list[dict[str, int | str]]) -> None:
    text = "\n".join(json.dumps(item) for item in objects)
    assert [row.fields for row in _json_rows(text)] == objects
