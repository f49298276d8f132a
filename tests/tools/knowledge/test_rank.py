from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.tools.knowledge.passages import passage
from tools.knowledge.documents import Passage
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.rank import SentenceRanker
from tools.knowledge.sentence_vectors import embed_passages
from tools.knowledge.sparse import Bm25Encoder
from tools.ports import Span, SpanVectors, Vector

CARDS = "The desk opens at nine. Credit card holders have 120 days to dispute. Fees follow later."


class Counting:
    """An embedder that counts what it is asked for."""

    def __init__(self, embedder: MiniLMEmbedder) -> None:
        self._embedder = embedder
        self.passages = 0
        self.queries: list[str] = []

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    def embed_passages(self, texts: Sequence[str]) -> Vector:
        return self._embedder.embed_passages(texts)

    def embed_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[SpanVectors]:
        self.passages += len(texts)
        return self._embedder.embed_spans(texts, spans)

    def embed_query(self, text: str) -> Vector:
        return self.embed_queries([text])[0]

    def embed_queries(self, texts: Sequence[str]) -> list[Vector]:
        self.queries += texts
        return self._embedder.embed_queries(texts)


@pytest.fixture(scope="module")
def ranker(embedder: MiniLMEmbedder) -> SentenceRanker:
    return SentenceRanker(embedder, Bm25Encoder())


def indexed(embedder: MiniLMEmbedder, text: str, chunk_id: str = "a#0") -> Passage:
    """A passage as the index returns it: with its sentences' vectors."""
    [embedded] = embed_passages(embedder, [plain := passage(text, chunk_id)])
    return replace(plain, sentence_vectors=embedded.sentences)


def test_the_sentence_that_answers_comes_first(ranker: SentenceRanker) -> None:
    passages = [
        passage("The desk opens at nine. Credit card holders have 120 days to dispute. Fees follow later.", "a#0"),
        passage("Travel notices are free of charge. They last for ninety days.", "b#0"),
    ]
    best, *rest = ranker.rank("How long do credit card holders have to dispute?", passages, limit=3)
    assert best.text == best.quote == "Credit card holders have 120 days to dispute."
    assert (best.n, best.passage.document_id, best.cited) == (1, "a", f"{best.text} [1]")
    assert [best.score, *(found.score for found in rest)] == sorted((f.score for f in [best, *rest]), reverse=True)
    assert len(rest) == 2


def test_ranking_again_from_memory_changes_nothing(ranker: SentenceRanker) -> None:
    passages = [passage("Cards are posted on Monday. Codes are posted on Friday.")]
    assert ranker.rank("When are cards posted?", passages, limit=5) == ranker.rank(
        "When are cards posted?", passages, limit=5
    )


def test_a_changed_text_under_the_same_chunk_id_is_read_anew(ranker: SentenceRanker) -> None:
    before = ranker.rank("limit", [passage("The limit is 500 EUR.", "c#0")], limit=1)
    after = ranker.rank("limit", [passage("The limit is 900 EUR.", "c#0")], limit=1)
    assert (before[0].text, after[0].text) == ("The limit is 500 EUR.", "The limit is 900 EUR.")


def test_the_same_sentence_in_two_passages_is_offered_once(ranker: SentenceRanker) -> None:
    found = ranker.rank("fee", [passage("The fee is ten EUR.", "a#0"), passage("the fee is ten EUR.", "b#0")], limit=5)
    assert [one.n for one in found] == [1]


def test_stored_vectors_are_used_and_rank_as_fresh_ones_do(embedder: MiniLMEmbedder) -> None:
    counting = Counting(embedder)
    ranker = SentenceRanker(counting, Bm25Encoder())
    stored = ranker.rank("How long to dispute?", [indexed(embedder, CARDS)], limit=3)
    assert counting.passages == 0
    fresh = ranker.rank("How long to dispute?", [passage(CARDS, "b#0")], limit=3)
    assert counting.passages == 1
    assert [one.text for one in stored] == [one.text for one in fresh]
    np.testing.assert_allclose([one.score for one in stored], [one.score for one in fresh], atol=1e-6)


def test_vectors_that_do_not_fit_the_sentences_are_made_anew(embedder: MiniLMEmbedder) -> None:
    counting = Counting(embedder)
    stale = Passage(
        **{**vars(passage(CARDS)), "sentence_vectors": indexed(embedder, "One only sentence.").sentence_vectors}
    )
    found = SentenceRanker(counting, Bm25Encoder()).rank("How long to dispute?", [stale], limit=3)
    assert counting.passages == 1
    assert len(found) == 3


def test_only_the_most_promising_sentences_are_embedded_on_their_own(embedder: MiniLMEmbedder) -> None:
    counting = Counting(embedder)
    many = " ".join(f"Rule number {n} says that fee {n} applies." for n in range(20))
    found = SentenceRanker(counting, Bm25Encoder()).rank(
        "What does rule number 7 say?", [indexed(embedder, many)], limit=20
    )
    assert len(counting.queries) == 1 + len(found) == 7
    assert found[0].text == "Rule number 7 says that fee 7 applies."


def test_a_passage_scores_as_its_best_sentence(ranker: SentenceRanker) -> None:
    passages = [passage("Travel notices are free.", "b#0"), passage(CARDS, "a#0"), passage("# Heading", "c#0")]
    travel, cards, nothing = ranker.passage_scores("How long do holders have to dispute?", passages)
    assert cards > travel > nothing == -1
