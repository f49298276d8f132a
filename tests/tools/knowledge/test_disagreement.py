from __future__ import annotations

import pytest

from tools.knowledge.disagreement import disagreement
from tools.knowledge.documents import Passage
from tools.knowledge.rank import Candidate

QUESTION = "How long do card holders have to dispute a transaction?"


def said(text: str, document: str, title: str = "Dispute handling") -> Candidate:
    passage = Passage(f"{document}#0", document, title, text, None, (), 0.03, 0.7, 8.0)
    return Candidate(text, text, passage, 1, 0.5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Card holders have 120 days to dispute a transaction.", "Card holders have 90 days to dispute a transaction."),
        (
            "Card holders dispute a transaction within three months.",
            "Card holders dispute a transaction within 2 months.",
        ),
        ("A disputed card transaction costs 1,000 EUR at most.", "A disputed card transaction costs 500 EUR at most."),
        ("Holders may dispute a transaction until 2026-03-01.", "Holders may dispute a transaction until 2026-04-15."),
    ],
)
def test_other_values_in_the_same_words_disagree(one: str, other: str) -> None:
    pair = disagreement(QUESTION, [said(one, "a"), said(other, "b")])
    assert pair is not None
    assert [candidate.text for candidate in pair] == [one, other]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # The same value in other clothes.
        ("Card holders have three days to dispute a charge.", "Card holders have 3 days to dispute a charge."),
        ("The limit of a disputed transaction is 1,000 EUR.", "The limit of a disputed transaction is 1000 EUR."),
        # More of the same.
        ("Card holders have 120 days to dispute it.", "Card holders have 120 days to dispute it, since 2021."),
        # About something else.
        ("Card holders have 120 days to dispute a transaction.", "The Disputes Desk has 40 members in 3 offices."),
        ("Card holders have 120 days to dispute a transaction.", "Nobody has a say."),
    ],
)
def test_the_same_and_unlike_sentences_do_not(one: str, other: str) -> None:
    assert disagreement(QUESTION, [said(one, "a"), said(other, "b")]) is None


def test_a_sentence_about_another_thing_than_was_asked_for_does_not() -> None:
    debit = said("Debit card holders have 90 days to dispute a transaction.", "a")
    credit = said("Credit card holders have 120 days to dispute a transaction.", "b")
    assert disagreement("How long may debit card holders dispute a transaction?", [debit, credit]) is None
    titled = [
        said("Holders have 90 days to dispute a transaction.", "a", "Debit card terms"),
        said("Holders have 120 days to dispute a transaction.", "b", "Credit card terms"),
    ]
    assert disagreement("How long may debit card holders dispute a transaction?", titled) is None
    # Asked in general, both are told.
    assert disagreement("How long may holders dispute a transaction?", titled) is not None


def test_one_document_does_not_disagree_with_itself() -> None:
    one, other = (said(f"Card holders have {days} days to dispute a transaction.", "a") for days in (90, 120))
    assert disagreement(QUESTION, [one, other]) is None


def test_without_candidates_nothing_disagrees() -> None:
    assert disagreement(QUESTION, [said("Card holders have 90 days.", "a")]) is None
