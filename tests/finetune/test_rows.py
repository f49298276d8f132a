from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.errors import RowsError
from finetune.rows import read_rows, rows_sha256


def written(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_json_lines_with_attributes(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a.jsonl", '{"text": " one ", "label": 1, "kind": "clear"}\n\n{"text": "two", "label": "0"}\n'
    )
    first, second = read_rows(path)
    assert (first.text, first.label, first.number, first.attributes["kind"]) == ("one", "1", 1, "clear")
    assert (second.label, second.number) == ("0", 2)


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("FRAUD", "FRAUD"),
        ("FRAUD. Because of the amount", "FRAUD"),
        (json.dumps({"label": "LEGITIMATE"}), "LEGITIMATE"),
    ],
)
def test_chat_rows(tmp_path: Path, answer: str, label: str) -> None:
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "120 EUR, online."},
        {"role": "assistant", "content": answer},
    ]
    (row,) = read_rows(written(tmp_path, "chat.jsonl", json.dumps({"messages": messages})))
    assert (row.text, row.label) == ("120 EUR, online.", label)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_of_any_delimiter(tmp_path: Path, delimiter: str) -> None:
    text = delimiter.join(["Label", "id", "TEXT"]) + "\r\n" + delimiter.join(["1.0", "7", '"a ""b"""']) + "\r\n"
    (row,) = read_rows(written(tmp_path, "a.csv", "\ufeff" + text))
    assert (row.text, row.label, row.attributes["id"]) == ('a "b"', "1", "7")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.jsonl", "", "empty_file"),
        ("a.csv", "text,label\n", "empty_file"),
        ("a.csv", "amount,label\n1,2\n", "missing_columns"),
        ("a.csv", b"text,label\n\xff\xfe,1\n", "not_utf8"),
        ("a.jsonl", b"\x00\x01", "binary_file"),
        ("a.jsonl", '{"text": "a", "label": 1}\nnot json\n', "invalid_json"),
        ("a.jsonl", "[1]\n", "invalid_json"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, name: str, content: str | bytes, code: str) -> None:
    with pytest.raises(RowsError) as caught:
        read_rows(written(tmp_path, name, content))
    assert caught.value.code == code


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RowsError, match="cannot be read"):
        read_rows(tmp_path / "none.jsonl")


def test_unusable_rows_are_named(tmp_path: Path) -> None:
    content = "\n".join(json.dumps(row) for row in [{"text": "a", "label": 1}, {"text": "", "label": 1}, {"text": "b"}])
    with pytest.raises(RowsError) as caught:
        read_rows(written(tmp_path, "a.jsonl", content))
    assert caught.value.details["rows"] == {2: "no text", 3: "no label"}


def test_the_hash_follows_texts_and_labels(tmp_path: Path) -> None:
    one = read_rows(written(tmp_path, "a.jsonl", '{"text": "a", "label": 1}'))
    same = read_rows(written(tmp_path, "b.csv", "text,label\na,1\n"))
    other = read_rows(written(tmp_path, "c.csv", "text,label\na,0\n"))
    assert rows_sha256(one) == rows_sha256(same) != rows_sha256(other)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1), min_size=1, max_size=5))
def test_any_text_survives_a_csv(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    texts = [text for text in texts if text.strip()] or ["x"]
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([["text", "label"], *([text, "1"] for text in texts)])
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    assert [row.text for row in read_rows(path)] == [text.strip() for text in texts]
