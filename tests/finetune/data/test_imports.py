from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finetune.data.imports import Columns, Imported, import_examples
from finetune.errors import RowsError
from tools.fraud import FraudPolicy

HEADER = "cc_num,when,amt,shop,category,merch_lat,merch_long,is_fraud"


def read(path: Path, **columns: Any) -> Imported:
    return import_examples(path, Columns(**columns), FraudPolicy())


def csv(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def jsonl(tmp_path: Path, *records: dict[str, Any]) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_texts_with_named_columns(tmp_path: Path) -> None:
    path = csv(tmp_path, "who,story,answer", "a,Bought bread,good", "b,Bought ten phones,bad")
    found = read(path, text="story", label="answer", group="who")
    assert found.shape == "text"
    assert [(e.text, e.label, e.group, e.number) for e in found.examples] == [
        ("Bought bread", "good", "a", 1),
        ("Bought ten phones", "bad", "b", 2),
    ]


def test_numeric_labels_of_json_rows_are_kept(tmp_path: Path) -> None:
    found = read(jsonl(tmp_path, {"text": "a b", "label": 0}, {"text": "c d", "label": 1}))
    assert [example.label for example in found.examples] == ["0", "1"]


def test_chats(tmp_path: Path) -> None:
    def chat(text: str, answer: str) -> dict[str, Any]:
        return {"messages": [{"role": "system", "content": "Judge."}, {"role": "user", "content": text},
                             {"role": "assistant", "content": answer}]}  # fmt: skip

    found = read(jsonl(tmp_path, chat("5 EUR", "LEGITIMATE\nRisk score: 3"), chat("9,000 EUR", "FRAUD.")))
    assert found.shape == "chat"
    assert [(e.text, e.label) for e in found.examples] == [("5 EUR", "LEGITIMATE"), ("9,000 EUR", "FRAUD")]


def test_transaction_columns_get_their_cards_history_in_time_order(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        HEADER,
        "4111,2026-03-01 12:30,90,Jeweller,jewellery,53.0,-6.0,1",
        "4111,2026-03-01 12:00,10,Bakery,food,53.0,-6.1,0",
        "4222,2026-03-01 12:10,10,Bakery,food,53.0,-6.1,0",
    )
    later, earlier, other = read(path).examples
    assert later.label == "FRAUD"
    assert later.attributes["transaction"]["count_1h"] == 2
    assert later.attributes["transaction"]["minutes_since_last"] == 30
    assert later.attributes["transaction"]["distance_from_last_km"] == pytest.approx(6.7, abs=0.1)
    assert "2 this hour" in later.text
    assert earlier.attributes["transaction"]["count_1h"] == 1
    assert other.group != later.group == earlier.group
    assert "4111" not in json.dumps(later.record())


def test_facts_that_a_row_states_are_kept(tmp_path: Path) -> None:
    path = csv(tmp_path, "customer,when,amount,merchant,count_1h,fraud", "a,2026-03-01 12:00,5,Bakery,9,0",
               "a,2026-03-01 12:01,5,Bakery,,1")  # fmt: skip
    first, second = read(path).examples
    assert first.attributes["transaction"]["count_1h"] == 9
    assert second.attributes["transaction"]["count_1h"] == 2


def test_the_label_never_reaches_the_text(tmp_path: Path) -> None:
    path = csv(tmp_path, "amount,merchant,verdict,class", "5,Bakery,1,x", "6,Bakery,0,y")
    assert all("verdict" not in e.text and "class" not in e.text for e in read(path, label="verdict").examples)


@pytest.mark.parametrize(
    ("lines", "code", "rows"),
    [
        (["text,label", "a,1", ",0", "b,"], "invalid_rows", [2, 3]),
        (["amount,merchant,is_fraud", "5,Bakery,0", "abc,Bakery,1", "7,Bakery,maybe"], "invalid_rows", [2, 3]),
        (["text,label", "a,1", "b,1"], "one_class", []),
        (["text,kind", "a,1", "b,0"], "missing_columns", []),
        (["note,label", "a,1", "b,0"], "missing_columns", []),
        (["id,text,label", "7,a,1", "8,b,0", "7,c,0"], "duplicate_ids", [1, 3]),
    ],
)
def test_unusable_rows_are_named(tmp_path: Path, lines: list[str], code: str, rows: list[int]) -> None:
    with pytest.raises(RowsError) as failure:
        read(csv(tmp_path, *lines))
    assert failure.value.code == code
    assert sorted(failure.value.details["rows"]) == rows


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(RowsError, match="no column 'verdict'; its columns are text, label"):
        read(csv(tmp_path, "text,label", "a,1"), label="verdict")


def test_invalid_rows_can_be_left_out(tmp_path: Path) -> None:
    path = csv(tmp_path, "text,label", "a,1", ",0", "b,0")
    found = import_examples(path, Columns(), FraudPolicy(), skip_invalid=True)
    assert [example.number for example in found.examples] == [1, 3]
    assert found.skipped == {2: "no text"}
