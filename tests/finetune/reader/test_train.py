from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from agent.models.files import EMBEDDING_WEIGHTS, TOKENIZER
from finetune.reader.evaluate import evaluate, token_f1
from finetune.reader.export import export
from finetune.reader.model import ReaderModel
from finetune.reader.rows import ReadingRow
from finetune.reader.train import Example, ReaderRecipe, answer_span, examples, train
from tools.knowledge.reader_input import reader_inputs
from tools.knowledge.span_reader import SpanReader, best_span, reader_tokenizer

COLOURS = ("red", "green", "blue", "yellow", "white", "black")
RECIPE = ReaderRecipe(epochs=12, learning_rate=2e-3, rank=8, batch_size=6, window=96, likest=0, altered=0)


def rows() -> list[ReadingRow]:
    found: list[ReadingRow] = []
    for colour in COLOURS:
        passage = f"The boat in the harbour was painted {colour} by its owner last summer."
        asked = {"title": colour, "passage": passage}
        found.append(ReadingRow(**asked, question="What colour is the boat?", answerable=True, answers=(colour,)))
        found.append(ReadingRow(**asked, question="How old is the captain of the ferry?", answerable=False))
    return found


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return reader_tokenizer(TOKENIZER.locate())


@pytest.fixture(scope="module")
def trained(tokenizer: Tokenizer) -> ReaderModel:
    told: list[int] = []
    shown = examples(rows(), [], RECIPE, tokenizer)
    model = train(EMBEDDING_WEIGHTS.locate().parent, shown, RECIPE, lambda step, steps, loss: told.append(step))
    assert told == list(range(1, len(shown) // RECIPE.batch_size * RECIPE.epochs + 1))
    return model


def test_an_answer_is_found_among_the_tokens(tokenizer: Tokenizer) -> None:
    for row in rows():
        [given] = reader_inputs(tokenizer, row.question, row.passage)
        span = answer_span(row, given)
        assert (span is None) == (not row.answerable)
        if span is not None:
            first, last = (given.offsets[place - given.first] for place in span)
            assert row.passage[first[0] : last[1]] == row.answers[0]


def test_of_a_long_passage_a_window_with_the_answer_is_shown(tokenizer: Tokenizer) -> None:
    filler = "Nothing else is known of it. " * 40
    row = ReadingRow(
        title="t", passage=filler + "It was red.", question="What colour?", answerable=True, answers=("red",)
    )
    shown: list[Example] = examples([row], [], RECIPE, tokenizer)
    assert len(shown) == 1
    assert len(shown[0].given.tokens) <= RECIPE.window
    assert shown[0].first == shown[0].last > shown[0].given.first


def test_rows_of_our_own_are_shown_more_often(tokenizer: Tokenizer) -> None:
    given = rows()
    recipe = replace(RECIPE, near_misses=1)
    assert len(examples(given, [], recipe, tokenizer)) == len(given)
    assert len(examples(given[1:], given[:1], recipe, tokenizer)) == len(given) - 1 + recipe.written


def test_a_row_whose_answer_is_not_in_its_passage_is_left_out(tokenizer: Tokenizer) -> None:
    row = ReadingRow(title="t", passage="It was red.", question="What colour?", answerable=True, answers=("blue",))
    assert examples([row], [], RECIPE, tokenizer) == []


def test_the_exported_reader_has_learned_and_answers_as_the_trained_one(
    trained: ReaderModel, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    inputs = [next(iter(reader_inputs(tokenizer, row.question, row.passage))) for row in rows()]
    expected = [best_span(trained.scores([given])[0], given) for given in inputs]
    export(trained, tmp_path)
    reader = SpanReader(tmp_path, EMBEDDING_WEIGHTS.locate(), tokenizer)
    found = [reader.read(row.question, row.passage) for row in rows()]
    for one, other in zip(expected, found, strict=True):
        assert other is not None
        assert other.margin == pytest.approx(one.margin, abs=2.0)
    figures = evaluate(reader, rows())
    assert figures["f1"] == 1.0
    assert figures["auroc"] == 1.0
    assert (figures["rows"], figures["answerable"]) == (12, 6)
    assert np.isfinite([one.margin for one in found if one is not None]).all()


def test_words_are_compared_as_squad_does() -> None:
    assert token_f1("The red boat.", "red boat") == 1.0
    assert token_f1("a blue boat", "red boat") == 0.5
    assert token_f1("herring", "red boat") == 0.0
