from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.followup import is_follow_up, stand_alone

WINDOW = "What is the dispute window for credit cards?"
FEE = "What is the fee for a replacement card?"
REPLACED = "How long does a card replacement take?"
LOST = "How do I report a lost card?"
KEPT = "How long do we keep KYC records?"
HANDLED = "How are disputes handled?"


@pytest.mark.parametrize(
    ("previous", "message", "expected"),
    [
        # the same noun with another qualifier
        (WINDOW, "And for debit cards?", "What is the dispute window for debit cards?"),
        (WINDOW, "Thanks, and for debit cards?", "What is the dispute window for debit cards?"),
        (WINDOW, "ok and debit cards", "What is the dispute window for debit cards?"),
        (WINDOW, "What about the prepaid card", "What is the dispute window for prepaid card?"),
        (FEE, "same for corporate cards", "What is the fee for corporate cards?"),
        (KEPT, "and transaction records?", "How long do we keep transaction records?"),
        (
            "What's the deadline for contesting a purchase made with a credit card?",
            "and for debit cards?",
            "What's the deadline for contesting a purchase made with debit cards?",
        ),
        ("Who approves refunds over 500 EUR?", "and over 1000 EUR?", "Who approves refunds over 1000 EUR?"),
        # only the qualifier
        (WINDOW, "and for debit?", "What is the dispute window for debit cards?"),
        (WINDOW, "what about prepaid?", "What is the dispute window for prepaid cards?"),
        ("What is the limit for gold cards?", "and the platinum one?", "What is the limit for platinum cards?"),
        (
            "What is the daily limit for ATM withdrawals?",
            "and online?",
            "What is the daily limit for online withdrawals?",
        ),
        # another thing in the same question
        (FEE, "or a new PIN?", "What is the fee for a new PIN?"),
        (FEE, "and the deadline?", "What is the deadline for a replacement card?"),
        (HANDLED, "and chargebacks?", "How are chargebacks handled?"),
        # a condition or a circumstance
        (
            REPLACED,
            "and when the customer is abroad?",
            "How long does a card replacement take when the customer is abroad?",
        ),
        (REPLACED, "but the customer is abroad", "How long does a card replacement take if the customer is abroad?"),
        (REPLACED, "And in Germany?", "How long does a card replacement take in Germany?"),
        ("How long do we keep records in France?", "and in Germany?", "How long do we keep records in Germany?"),
        (
            "When must a provisional credit be issued?",
            "What about business accounts?",
            "When must a provisional credit be issued for business accounts?",
        ),
        ("Which documents do I need?", "and for companies?", "Which documents do I need for companies?"),
        # a new question about the same thing
        ("Who reviews a chargeback?", "and who approves it?", "Who approves the chargeback?"),
        (FEE, "and who decides that?", "Who decides the fee for a replacement card?"),
        (LOST, "is it free?", "Is the lost card free?"),
        (LOST, "Is that free?", "Is the lost card free?"),
        (LOST, "does that apply to prepaid cards?", "Does the lost card apply to prepaid cards?"),
        (HANDLED, "How are they closed?", "How are the disputes closed?"),
        ("What is a chargeback?", "What are its stages?", "What are the chargeback's stages?"),
        (WINDOW, "And how does a chargeback work?", "How does a chargeback work?"),
        # nothing but a question word
        (KEPT, "Why?", "How long do we keep KYC records, and why?"),
        (KEPT, "But why?", "How long do we keep KYC records, and why?"),
        ("When must we file the report?", "and by whom?", "When must we file the report, and by whom?"),
    ],
)
def test_a_follow_up_is_made_to_stand_alone(previous: str, message: str, expected: str) -> None:
    assert is_follow_up(message)
    assert stand_alone(message, ["An older question?", previous]) == expected


@pytest.mark.parametrize(
    "message",
    [
        "What is the weather like today?",
        "What time is it?",
        "Will it rain tomorrow?",
        "How do I file a dispute?",
        "For debit cards, what is the dispute window?",
        "For example, how do I file one?",
        "Is there a form that I can use?",
        "Is this transaction fraud? Card 4111, 500 EUR at Shop X",
        "Extract this",
        "Can you extract the fields of it?",
        "Is it fraud?",
        "thanks",
        "Thank you!",
        "Hello",
        "yes",
        "And which of the many documents that the customer sent us last week did the bank lose?",
    ],
)
def test_a_change_of_topic_is_left_alone(message: str) -> None:
    assert stand_alone(message, [WINDOW]) == message


@pytest.mark.parametrize(
    "message",
    [
        "",
        "   \n",
        "?",
        "and?!",
        "and the?",
        "\x00",
        "[1]",
        "😀",
        "a" * 1_000_000,
        "and " * 250_000,
        "and " + "x" * 1_000_000,
        "and, " * 7 + "!" * 500_000,
        "it " * 300_000,
        "for\ndebit cards?",
    ],
    ids=lambda message: f"{message[:12]!r}x{len(message)}",
)
def test_empty_huge_and_odd_messages_come_back_at_once(message: str) -> None:
    started = time.perf_counter()
    assert stand_alone(message, [WINDOW]) == message
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("previous", ["", "???", "word " * 200_000, "x" * 1_000_000])
def test_a_previous_question_that_gives_nothing_leaves_the_follow_up_as_it_is(previous: str) -> None:
    assert stand_alone("and for debit cards?", [previous]) == "and for debit cards?"


def test_the_first_question_of_a_conversation_stands_alone() -> None:
    assert stand_alone("and for debit cards?", []) == "and for debit cards?"


def test_only_the_last_question_counts() -> None:
    assert stand_alone("and for debit cards?", [FEE, WINDOW]) == "What is the dispute window for debit cards?"


WORDS = st.sampled_from("and for what about it the debit cards is when who that a how , ? why over 500 one EUR".split())


@given(st.lists(WORDS, max_size=12).map(" ".join), st.lists(WORDS, max_size=12).map(" ".join))
def test_any_words_give_one_line_that_keeps_what_was_asked(message: str, previous: str) -> None:
    rewritten = stand_alone(message, [previous])
    assert "\n" not in rewritten
    assert bool(rewritten.strip()) == bool(message.strip())


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_survived(message: str, previous: str) -> None:
    assert isinstance(stand_alone(message, [previous]), str)
