from __future__ import annotations

import random

import pytest

from finetune.reader.negatives import altered, likest_elsewhere
from finetune.reader.rows import ReadingRow

PASSAGES = [
    "In 1874 Ada Holm built the lighthouse of Skarn.",
    "The lighthouse of Vinga burned down in 1921 and Nils Berg was its last keeper.",
    "The harbour of Marstrand is the largest of the coast.",
    "In 1968 the last keepers left Skarn.",
    "Fishing boats land herring in the harbour.",
]


def row(passage: str, question: str, answer: str) -> ReadingRow:
    return ReadingRow(title="Coast", passage=passage, question=question, answerable=True, answers=(answer,))


ROWS = [
    row(PASSAGES[0], "Who built the lighthouse of Skarn in 1874?", "Ada Holm"),
    row(PASSAGES[1], "When did the lighthouse of Vinga burn down?", "1921"),
    row(PASSAGES[2], "Which harbour is the largest?", "Marstrand"),
    row(PASSAGES[3], "When did the last keepers leave Skarn?", "1968"),
    row(PASSAGES[4], "What do fishing boats land?", "herring"),
]


@pytest.mark.parametrize("seed", range(20))
def test_the_other_passage_does_not_hold_the_answer(seed: int) -> None:
    found = likest_elsewhere(ROWS, random.Random(seed))
    assert len(found) == len(ROWS)
    for negative, original in zip(found, ROWS, strict=True):
        assert negative.question == original.question
        assert negative.passage in PASSAGES
        assert negative.passage != original.passage
        assert original.answers[0] not in negative.passage
        assert (negative.answerable, negative.answers) == (False, ())


@pytest.mark.parametrize("seed", range(20))
def test_an_altered_question_is_another_one_about_the_same_passage(seed: int) -> None:
    found = altered(ROWS, random.Random(seed))
    questions = {original.question for original in ROWS}
    assert found
    for negative in found:
        assert negative.question not in questions
        assert negative.passage in PASSAGES
        assert not negative.answerable


def test_names_numbers_opposites_and_denials_all_occur() -> None:
    asked = " ".join(negative.question for seed in range(60) for negative in altered(ROWS, random.Random(seed)))
    assert "lighthouse of Vinga in 1874" in asked or "lighthouse of Marstrand in 1874" in asked
    assert "lighthouse of Skarn in 1921" in asked or "lighthouse of Skarn in 1968" in asked
    assert "Which harbour is the smallest?" in asked
    assert "Which harbour is not the largest?" in asked


def test_the_same_seed_gives_the_same_questions() -> None:
    assert altered(ROWS, random.Random(3)) == altered(ROWS, random.Random(3))
    assert likest_elsewhere(ROWS, random.Random(3)) == likest_elsewhere(ROWS, random.Random(3))


def test_a_document_of_few_passages_gives_no_other_ones() -> None:
    assert likest_elsewhere(ROWS[:2], random.Random(0)) == []
