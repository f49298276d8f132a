from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.knowledge.sentences import split_sentences


def texts(source: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(source)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith and Mrs. Jones met Mr. J. R. Brown.",
        "The fee is 2.5% of 1,000.50 EUR.",
        "See No. 5 and Art. 12 for the U.S. rules.",
        "Use codes, e.g. Visa 10.4, i.e. fraud.",
        "Northwind Ltd. Services pays approx. 5 EUR.",
        "The limit\nis wrapped over\nthree lines.",
        "He wrote... and then stopped.",
        "It rose to 3 p.m. on Fri. 5 March.",
    ],
)
def test_one_sentence_stays_one(sentence: str) -> None:
    assert texts(sentence) == [sentence]


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("It is late. The bank closed.", 2),
        ("1.1. Scope of the rule. It applies.", 2),
        ("Is it fraud? Yes! Call us.", 3),
        ('He said "no." Then he left.', 2),
        ("The answer is no. The case is closed.", 2),
        ("It was sold by Acme Inc. The buyer complained.", 2),
        ("Limits apply to plan B. They change in May. 5 days remain.", 3),
        ("支払いは拒否されました。理由は不明です。", 2),
        ("First paragraph without stop\n\nSecond one", 2),
    ],
)
def test_sentences_are_split(source: str, count: int) -> None:
    assert len(texts(source)) == count


def test_headings_items_rows_and_fields_are_sentences() -> None:
    source = (
        "# Limits\nText goes\non. More.\n\n1. First step. Do it.\n2. Second\n   step\n- bullet\n\n"
        "| Code | Days |\n| --- | --- |\n| 4853 | 120. Then |\nAfter the table\n\nFrom: me\nTo: you"
    )
    assert texts(source) == [
        "# Limits",
        "Text goes\non.",
        "More.",
        "1. First step.",
        "Do it.",
        "2. Second\n   step",
        "- bullet",
        "| Code | Days |\n| --- | --- |",
        "| 4853 | 120. Then |",
        "After the table",
        "From: me",
        "To: you",
    ]


@given(st.text(st.sampled_from("ab. A!?\n\f|-#1。\"'\t :") | st.characters(), max_size=200))
def test_offsets_are_exact_and_nothing_is_lost(source: str) -> None:
    position = 0
    for sentence in split_sentences(source):
        assert source[sentence.start : sentence.end] == sentence.text == sentence.text.strip() != ""
        assert not source[position : sentence.start].strip()
        position = sentence.end
    assert not source[position:].strip()


@pytest.mark.parametrize("unit", [".", ". ", "\t", " ", "--", "| ", "a.", "(", "A\n", "1. ", " . . "])
def test_hostile_text_takes_linear_time(unit: str) -> None:
    start = time.perf_counter()
    split_sentences(unit * 50_000 + "x")
    assert time.perf_counter() - start < 5
