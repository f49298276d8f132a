from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from finetune.base import Base, load_model, load_tokenizer
from finetune.forgetting.likelihood import FORMS, Form, Line, log_likelihoods, pair_lines, text_line
from finetune.forgetting.pairs import Pair

PAIR = Pair("language", "The keys near the door", " are old.", " is old.")


@pytest.fixture(scope="module")
def model(tiny_base: Base) -> Any:
    return load_model(tiny_base).eval()


@pytest.fixture(scope="module")
def tokenizer(tiny_base: Base) -> Any:
    return load_tokenizer(tiny_base)


def plain_sum(model: Any, line: Line) -> float:
    """The same figure by the book: one text, every position."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([line.ids])).logits[0]
    logp = torch.log_softmax(logits.double(), dim=1)
    return sum(float(logp[at - 1, line.ids[at]]) for at in range(line.start, len(line.ids)))


def test_sums_are_those_of_a_plain_forward_pass(model: Any, tokenizer: Any) -> None:
    lines = [*pair_lines(tokenizer, PAIR, "chat"), *pair_lines(tokenizer, PAIR, "plain"), text_line(tokenizer, "A cat")]
    expected = [plain_sum(model, line) for line in lines]
    assert log_likelihoods(model, lines) == pytest.approx(np.array(expected), abs=1e-3)


def test_a_shared_beginning_changes_nothing(model: Any, tokenizer: Any) -> None:
    lines = [text_line(tokenizer, f"The weather in May was {word}") for word in ("good", "bad", "very mild")]
    expected = [plain_sum(model, line) for line in lines]
    assert log_likelihoods(model, lines) == pytest.approx(np.array(expected), abs=1e-3)


def test_progress_hears_of_every_line(model: Any, tokenizer: Any) -> None:
    heard: list[int] = []
    log_likelihoods(model, [text_line(tokenizer, f"text {number}") for number in range(40)], heard.append)
    assert sum(heard) == 40


@pytest.mark.parametrize("form", FORMS)
def test_counting_starts_where_right_and_wrong_differ(tokenizer: Any, form: Form) -> None:
    right, wrong = pair_lines(tokenizer, PAIR, form)
    assert right.start == wrong.start
    assert right.ids[: right.start] == wrong.ids[: wrong.start]
    assert right.ids[right.start] != wrong.ids[wrong.start]
    assert tokenizer.decode(right.ids).endswith("The keys near the door are old.")
    assert ("assistant" in tokenizer.decode(right.ids)) is (form == "chat")


def test_lines_that_differ_at_once_are_counted_from_the_second_token(tokenizer: Any) -> None:
    right, _ = pair_lines(tokenizer, Pair("x", "", "B", "C"), "plain")
    assert right.start == 1
