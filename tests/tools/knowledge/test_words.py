from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.words import WordVectors, group_pieces, stem, word_list


def vectors(*words: str) -> WordVectors:
    return WordVectors(words, np.eye(max(len(words), 1), dtype=np.float32)[: len(words)], np.zeros(3, dtype=np.float32))


def test_pieces_become_words_of_unit_length() -> None:
    tokens = np.array([[9, 9], [1, 0], [0, 1], [3, 0], [9, 9]], dtype=np.float32)
    words, means = group_pieces(
        "fraudster pays", [None, 0, 0, 1, None], [(0, 0), (0, 5), (5, 9), (10, 14), (0, 0)], tokens
    )
    assert words == ["fraudster", "pays"]
    assert means == pytest.approx(np.array([[0.7071, 0.7071], [1, 0]]), abs=1e-3)


def test_pieces_past_the_last_token_are_left_out() -> None:
    words, means = group_pieces("a b", [0, 1], [(0, 1), (2, 3)], np.ones((1, 4), dtype=np.float32))
    assert words == ["a"]
    assert means.shape == (1, 4)


def test_no_pieces_are_no_words() -> None:
    words, means = group_pieces("", [None], [(0, 0)], np.ones((1, 4), dtype=np.float32))
    assert words == []
    assert means.shape == (0, 4)


def test_content_leaves_out_function_words_and_punctuation() -> None:
    text = vectors("Which", "card", "of", "the", "bank", "failed", "?")
    assert [text.words[i] for i in text.content] == ["card", "bank", "failed"]


def test_a_name_is_capitalised_but_not_first() -> None:
    text = vectors("Paris", "and", "Rome", "in", "1850", "or", "2500")
    assert [i for i in range(7) if text.is_name(i)] == [2]
    assert [i for i in range(7) if text.is_year(i)] == [4]


def test_words_have_stems_without_case() -> None:
    assert stem("Disputes") == stem("disputed")
    assert word_list("Two cards, one PIN.") == ["Two", "cards", "one", "PIN"]


def test_the_words_of_a_query_and_its_embedding_come_from_one_pass(embedder: MiniLMEmbedder) -> None:
    text = "Who opened the account at Larkmoor in 2019?"
    words = embedder.embed_words(text)
    assert words.words == ["Who", "opened", "the", "account", "at", "Larkmoor", "in", "2019", "?"]
    assert words.vectors.shape == (9, embedder.dimensions)
    assert np.linalg.norm(words.vectors, axis=1) == pytest.approx(np.ones(9), abs=1e-4)
    assert words.pooled == pytest.approx(embedder.embed_passages([text])[0], abs=1e-4)
    assert words.pooled == pytest.approx(embedder.embed_query(text), abs=1e-6)


def test_the_words_of_a_sentence_that_was_just_ranked_are_remembered(embedder: MiniLMEmbedder) -> None:
    embedder.embed_query("A sentence that the ranking reads.")
    first = embedder.embed_words("A sentence that the ranking reads.")
    assert embedder.embed_words("A sentence that the ranking reads.") is first


@given(st.text(max_size=200))
def test_any_text_has_words(text: str) -> None:
    assert all(word.strip() for word in word_list(text))
