from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.tools.knowledge.passages import passage
from tools.knowledge.chunk import embedding_text
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.readings import readings
from tools.knowledge.sentence_vectors import embed_passages, pack, unpack

VECTORS = st.integers(0, 5).flatmap(
    lambda rows: arrays(np.float32, (rows, 8), elements=st.floats(-1, 1, width=32, allow_subnormal=False))
)


@given(VECTORS)
def test_packing_keeps_directions(vectors: np.ndarray) -> None:
    back = unpack(pack(vectors), 8)
    assert back.shape == vectors.shape
    for before, after in zip(vectors, back, strict=True):
        if (length := np.linalg.norm(before)) > 1e-3:
            assert float(before @ after) / float(length) == pytest.approx(1, abs=1e-3)


def test_the_passage_vector_is_that_of_its_embedded_text(embedder: MiniLMEmbedder) -> None:
    one = passage("Cards are blocked at once. Codes follow by post.", title="Cards", heading=("Lost cards",))
    [embedded] = embed_passages(embedder, [one])
    assert embedded.text == embedding_text(one, one.title)
    np.testing.assert_allclose(embedded.vector, embedder.embed_passages([embedded.text])[0], atol=1e-6)


def test_each_reading_gets_the_vector_of_its_own_words(embedder: MiniLMEmbedder) -> None:
    one = passage("Cards are blocked at once. It is free. A new code comes by post. It is free.")
    [embedded] = embed_passages(embedder, [one])
    vectors = unpack(embedded.sentences, embedder.dimensions)
    assert len(vectors) == len(readings(one)) == 4
    alone = np.stack([embedder.embed_query(reading.text) for reading in readings(one)])
    assert (vectors @ alone.T).argmax(axis=1)[[0, 2]].tolist() == [0, 2]
    # The same words in two places are read in two contexts.
    assert float(vectors[1] @ vectors[3]) < 0.999


def test_a_sentence_past_the_model_s_window_has_no_direction(embedder: MiniLMEmbedder) -> None:
    one = passage("Cards are blocked at once. " * 120)
    [embedded] = embed_passages(embedder, [one])
    lengths = np.linalg.norm(unpack(embedded.sentences, embedder.dimensions), axis=1)
    assert lengths[0] == pytest.approx(1, abs=1e-5)
    assert lengths[-1] == 0


def test_nothing_to_quote_is_no_vector(embedder: MiniLMEmbedder) -> None:
    [embedded] = embed_passages(embedder, [passage("Fees")])
    assert embedded.sentences == ""
    assert unpack("", 384).shape == (0, 384)
