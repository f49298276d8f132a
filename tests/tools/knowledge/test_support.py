from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.knowledge.passages import passage
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.support import is_supported, negations_agree, supported_sentences

BM25 = Bm25Encoder()
WINDOW = passage(
    "## Dispute window\nCredit card holders have 120 days from posting to dispute a transaction. "
    "The desk opens at 08:00.",
    "window#0",
    title="Dispute handling",
)
FEES = passage("A replacement card costs 1,000.50 EUR or 25 EUR a month.", "fees#0")
PASSAGES = [WINDOW, FEES]


def kept(answer: str, embedder: MiniLMEmbedder) -> list[tuple[str, list[str]]]:
    sentences = supported_sentences(answer, PASSAGES, BM25, embedder.embed_words)
    return [(sentence.text, [source.document_id for source, _ in sentence.sources]) for sentence in sentences]


DAYS = "Credit card holders have 120 days to dispute a transaction"
COSTS = "A replacement card costs 25 EUR a month"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (f"{DAYS} [1].", [(f"{DAYS}.", ["window"])]),
        (f"{DAYS}. [1]", [(f"{DAYS}.", ["window"])]),
        (f"{DAYS}.[1] {COSTS}. [2]", [(f"{DAYS}.", ["window"]), (f"{COSTS}.", ["fees"])]),
        (f"{COSTS}! [2]", [(f"{COSTS}!", ["fees"])]),
        (f"{COSTS} [1][2].", [(f"{COSTS}.", ["fees"])]),
        (f"{COSTS} [1, 2].", [(f"{COSTS}.", ["fees"])]),
        (f"{COSTS} [2,1].", [(f"{COSTS}.", ["fees"])]),
        (f"{COSTS} [2] [2].", [(f"{COSTS}.", ["fees"])]),
        (f"{COSTS} [7] [2] [0].", [(f"{COSTS}.", ["fees"])]),
        (f"{COSTS} [7].", []),
        (f"{COSTS}.", []),
        (f"{COSTS} [1].", []),
        ("Credit card holders have 130 days to dispute a transaction [1].", []),
        ("Bananas are a yellow fruit from the tropics [1].", []),
        ("The [1].", []),
        ("[1]", []),
        ("", []),
        (f"Bananas are yellow [1]. {COSTS} [2].", [(f"{COSTS}.", ["fees"])]),
    ],
)
def test_a_sentence_is_kept_with_the_passages_that_support_it(
    answer: str, expected: list[tuple[str, list[str]]], embedder: MiniLMEmbedder
) -> None:
    assert kept(answer, embedder) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "Credit card holders do not have 120 days to dispute a transaction [1].",
        "Credit card holders never have 120 days to dispute a transaction [1].",
    ],
)
def test_a_sentence_that_denies_what_the_passage_says_is_dropped(answer: str, embedder: MiniLMEmbedder) -> None:
    assert kept(answer, embedder) == []


def test_what_the_passage_denies_may_be_denied(embedder: MiniLMEmbedder) -> None:
    rule = passage("Tips are not refunded. Meals are refunded within 5 days.", "tips#0")
    for text, agrees in (
        ("Tips are not refunded.", True),
        ("Tips are refunded.", False),
        ("Meals are refunded within 5 days.", True),
    ):
        assert negations_agree(text, rule, embedder.embed_words) is agrees


def test_the_quote_is_the_sentence_that_says_it_not_the_heading(embedder: MiniLMEmbedder) -> None:
    (sentence,) = supported_sentences("The dispute window is 120 days [1].", PASSAGES, BM25, embedder.embed_words)
    ((_, quote),) = sentence.sources
    assert quote == "Credit card holders have 120 days from posting to dispute a transaction."
    assert quote in WINDOW.text


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("It costs 1,000.50 EUR for a card.", True),
        ("It costs 1000.50 EUR for a card.", False),
        ("It costs 1,000 EUR for a card.", False),
        ("It costs 2 EUR for a card.", False),
    ],
)
def test_numbers_must_stand_in_the_passage_as_they_are(sentence: str, supported: bool) -> None:
    assert is_supported(sentence, FEES, BM25) is supported


def test_a_number_of_the_title_or_a_heading_counts() -> None:
    titled = passage("The card is blocked at once.", title="Code 41", heading=("Rule 7",))
    assert is_supported("Code 41 blocks the card under rule 7.", titled, BM25)


def test_most_terms_must_occur() -> None:
    assert is_supported("Credit card holders dispute transactions in person.", WINDOW, BM25)
    assert not is_supported("Credit unions lend money to members in person.", WINDOW, BM25)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=st.text("[]0123, .!?abc\n", max_size=60))
def test_any_answer_is_survived_and_nothing_is_made_up(answer: str, embedder: MiniLMEmbedder) -> None:
    for sentence in supported_sentences(answer, PASSAGES, BM25, embedder.embed_words):
        assert all(quote in source.text for source, quote in sentence.sources)
