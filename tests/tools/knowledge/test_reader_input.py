from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from agent.models.files import TOKENIZER
from tools.knowledge.reader_input import reader_inputs
from tools.knowledge.span_reader import reader_tokenizer

WORDS = st.lists(st.sampled_from(["harbour", "1874", "Ada", "lighthouses", ",", "é", "的", "x" * 30]), max_size=400)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return reader_tokenizer(TOKENIZER.locate())


@settings(max_examples=60, deadline=None)
@given(question=st.text(max_size=600), words=WORDS)
def test_every_token_of_the_passage_is_read(tokenizer: Tokenizer, question: str, words: list[str]) -> None:
    passage = " ".join(words)
    wanted = set(tokenizer.encode(passage, add_special_tokens=False).offsets)
    inputs = list(reader_inputs(tokenizer, question, passage, window=200))
    assert {offsets for one in inputs for offsets in one.offsets} == wanted
    for one in inputs:
        assert len(one.tokens) == len(one.parts) == one.first + len(one.offsets) + 1 <= 200
        assert one.parts.index(1) == one.first if one.offsets else True


def test_a_short_passage_is_one_input_with_both_texts(tokenizer: Tokenizer) -> None:
    [one] = reader_inputs(tokenizer, " Who built it? ", "Ada built it.")
    assert (
        tokenizer.decode(list(one.tokens), skip_special_tokens=False) == "[CLS] who built it? [SEP] ada built it. [SEP]"
    )
    assert one.offsets[0] == (0, 3)
