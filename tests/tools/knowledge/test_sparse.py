from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tools.knowledge.sparse import Bm25Encoder

ENCODER = Bm25Encoder()


def weights(text: str) -> dict[int, float]:
    (vector,) = ENCODER.encode_passages([text])
    return dict(zip(vector.indices, vector.values, strict=True))


def test_forms_of_a_word_are_one_term() -> None:
    assert weights("disputes").keys() == weights("disputed").keys() == weights("DISPUTE").keys()
    assert weights("disputes").keys() != weights("refund").keys()


def test_function_words_weigh_nothing() -> None:
    assert weights("the of and is what") == {}
    assert ENCODER.encode_query("what is the").indices == []


def test_frequency_saturates_and_length_dilutes() -> None:
    (term,) = weights("card")
    once, twice, often = (weights("card " * n + "filler")[term] for n in (1, 2, 8))
    assert once < twice < often < 2.2
    assert weights("card")[term] > weights("card " + " ".join(f"word{n}" for n in range(200)))[term]


def test_a_query_holds_each_term_once() -> None:
    query = ENCODER.encode_query("cards, card and CARD fees")
    assert len(query.indices) == len(set(query.indices)) == 2
    assert set(query.values) == {1.0}


def test_texts_keep_their_order() -> None:
    texts = ["dispute window", "card fee", "", "travel notice"]
    vectors = ENCODER.encode_passages(texts)
    assert [dict(zip(v.indices, v.values, strict=True)) for v in vectors] == [weights(text) for text in texts]
    assert ENCODER.encode_passages([]) == []


@given(st.text(max_size=80))
def test_a_query_finds_its_own_text(text: str) -> None:
    assert set(ENCODER.encode_query(text).indices) == weights(text).keys()
