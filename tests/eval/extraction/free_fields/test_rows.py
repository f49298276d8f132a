from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pytest

from eval.extraction.free_fields.cases import field_cases
from eval.extraction.free_fields.notes import Fields, load_fields, write_note
from eval.extraction.free_fields.rows import FieldRow, field_rows
from eval.extraction.generator import Side

SIDES: tuple[Side, ...] = ("train", "held_out")


def said(given: Sequence[str | Mapping[str, str]]) -> set[str]:
    return {text.lower() for one in given for text in str(one).split(": ")}


def names(known: Fields) -> set[str]:
    found = said(known.foreign)
    for fields in known.names.values():
        found |= {text for given in fields.values() for text in said(given)}
    return found | {text for kind in known.notes.values() for fact in kind.facts.values() for text in said(fact.names)}


def wordings(known: Fields) -> set[str]:
    texts = [
        text for kind in known.notes.values() for fact in kind.facts.values() for text in (*fact.form, *fact.prose)
    ]
    texts += [title for kind in known.notes.values() for title in kind.titles] + list(known.asides)
    return {" ".join(re.findall(r"[a-z]+", re.sub(r"<\w+>|\[[^\]]*\]", "", text.lower()))) for text in texts}


def test_the_sides_share_no_name_and_no_wording() -> None:
    train, held_out = (load_fields(side) for side in SIDES)
    assert names(train) & names(held_out) == set()
    assert wordings(train) & wordings(held_out) == set()


@pytest.mark.parametrize("side", SIDES)
def test_every_fact_of_a_note_can_be_said(side: Side) -> None:
    for number in range(40):
        note = write_note(side, 1, number)
        there = {segment.field for segment in note.segments if segment.field}
        assert there == set(note.record.values)


@pytest.fixture(scope="module")
def rows() -> list[FieldRow]:
    return list(field_rows(field_cases("train", 300, 3), 3))


def test_answers_stand_in_their_passages(rows: list[FieldRow]) -> None:
    for row in rows:
        text = " ".join(row.passage.split())
        assert all(field.answer is None or field.answer in text for field in row.fields)


def test_about_three_fields_in_ten_are_missing_and_passages_are_short(rows: list[FieldRow]) -> None:
    answers = [field.answer for row in rows for field in row.fields]
    assert 0.25 < answers.count(None) / len(answers) < 0.45
    assert max(len(row.passage) for row in rows) < 1_300


def test_the_same_seed_gives_the_same_rows(rows: list[FieldRow]) -> None:
    assert list(field_rows(field_cases("train", 300, 3), 3)) == rows
    assert list(field_rows(field_cases("train", 300, 4), 4)) != rows
