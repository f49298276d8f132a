from __future__ import annotations

from pathlib import Path

import pytest

from finetune.data.records import read_records
from finetune.errors import RowsError


def write(tmp_path: Path, content: bytes, name: str = "rows.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_of_any_delimiter(tmp_path: Path, delimiter: str) -> None:
    text = f'a{delimiter}"b c"\n1{delimiter}"x, y; z"\n\n2{delimiter}q\n'
    assert read_records(write(tmp_path, text.encode("utf-8-sig"))) == [
        {"a": "1", "b c": "x, y; z"},
        {"a": "2", "b c": "q"},
    ]


def test_json_lines(tmp_path: Path) -> None:
    assert read_records(write(tmp_path, b'{"a": 1}\n\n{"a": 2}\n', "rows.jsonl")) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("content", "name", "code", "rows"),
    [
        (b"", "rows.csv", "empty_file", []),
        (b"  \n ", "rows.jsonl", "empty_file", []),
        (b"a,b\n", "rows.csv", "empty_file", []),
        (b"\x00\x01\x02", "rows.csv", "binary_file", []),
        ("a,b\nä,1\n".encode("latin-1"), "rows.csv", "not_utf8", []),
        (b"a,b\n1,2\n3\n4,5,6\n", "rows.csv", "invalid_csv", [2, 3]),
        (b"a,a\n1,2\n", "rows.csv", "duplicate_columns", []),
        (b'{"a": 1}\n{"a": \n[1]\n', "rows.jsonl", "invalid_json", [2, 3]),
    ],
)
def test_unusable_files_say_what_and_where(
    tmp_path: Path, content: bytes, name: str, code: str, rows: list[int]
) -> None:
    with pytest.raises(RowsError) as failure:
        read_records(write(tmp_path, content, name))
    assert failure.value.code == code
    assert sorted(failure.value.details["rows"]) == rows


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RowsError, match="cannot be read") as failure:
        read_records(tmp_path / "none.csv")
    assert failure.value.code == "unreadable_file"
