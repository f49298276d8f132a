from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tools.knowledge.embed import MiniLMEmbedder

TEXTS = [
    "A lost card is blocked.",
    "Fees",
    "",
    "Travel notices last ninety days. " * 40,
    "Bananas are yellow.",
    "é € 漢字",
]


def test_embeddings_have_length_one(embedder: MiniLMEmbedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_batch_keeps_the_order_of_its_texts(embedder: MiniLMEmbedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert float(vector @ embedder.embed_query(text)) == pytest.approx(1, abs=0.02)


def test_nothing_gives_an_empty_array(embedder: MiniLMEmbedder) -> None:
    assert embedder.embed_passages([]).shape == (0, 384)


def test_likeness_is_the_dot_product(embedder: MiniLMEmbedder) -> None:
    query = embedder.embed_query("What happens to a stolen card?")
    cosines = embedder.embed_passages(TEXTS) @ query
    assert int(np.argmax(cosines)) == 0


def test_a_query_is_embedded_once_and_cannot_be_changed(embedder: MiniLMEmbedder) -> None:
    first = embedder.embed_query("remembered")
    assert embedder.embed_query("remembered") is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_the_oldest_query_is_forgotten(embedder: MiniLMEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.knowledge.embed._CACHED_QUERIES", len(embedder._queries) + 1)
    kept, fresh = embedder.embed_query("kept for now"), "the newest one"
    embedder.embed_query("kept for now")
    embedder.embed_query(fresh)
    embedder.embed_query("one more")
    assert embedder.embed_query("kept for now") is kept


def test_threads_may_share_it(embedder: MiniLMEmbedder) -> None:
    queries = [f"query number {n % 4}" for n in range(24)]
    with ThreadPoolExecutor(4) as threads:
        vectors = list(threads.map(embedder.embed_query, queries))
    for query, vector in zip(queries, vectors, strict=True):
        np.testing.assert_allclose(vector, embedder.embed_query(query), atol=1e-5)


def test_tokens_are_counted_as_the_model_reads_them(embedder: MiniLMEmbedder) -> None:
    assert embedder.count_tokens("") == 0
    assert embedder.count_tokens("card") == 1
    assert embedder.count_tokens("chargebacks of cardholders") > 3
    assert embedder.count_tokens("card " * 1000) == 1000
