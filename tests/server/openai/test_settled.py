"""What may be sent of an answer before it is complete."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.openai.settled import SettledText


def sent(tokens: list[str], answer: str, *, verbatim: bool = True) -> tuple[str, str]:
    """What goes out while the tokens come, and what the answer adds at the end."""
    text = SettledText(verbatim)
    return "".join(text.push(token) for token in tokens), text.finish(answer)


def renumbered(text: str) -> str:
    """Citation marks numbered in the order in which they appear, as a finished answer has them."""
    numbers: dict[str, int] = {}
    return re.sub(r"\[(\d+)\]", lambda mark: f"[{numbers.setdefault(mark[1], len(numbers) + 1)}]", text)


@pytest.mark.parametrize(
    ("tokens", "answer", "early"),
    [
        (["Within 120", " days. [1]"], "Within 120 days. [1]", "Within 120 days. [1]"),
        (["A. [", "1", "] B. [2", "]"], "A. [1] B. [2]", "A. [1] B. [2]"),
        (["A. [3", "] B. [1]"], "A. [1] B. [2]", "A. "),
        (["A. [1] B. [3]", " C. [1]"], "A. [1] B. [2] C. [1]", "A. [1] B. "),
        (["See [annex"], "See [annex", "See [annex"),
        (["None [0]"], "None [1]", "None "),
    ],
)
def test_text_is_sent_up_to_a_mark_that_may_change(tokens: list[str], answer: str, early: str) -> None:
    first, rest = sent(tokens, answer)
    assert first == early
    assert first + rest == answer


def test_what_a_model_writes_waits_until_it_is_checked() -> None:
    assert sent(["Bananas. [1] ", "120 days. [2]"], "120 days. [1]", verbatim=False) == ("", "120 days. [1]")


def test_an_answer_that_was_started_over_follows_as_a_whole() -> None:
    first, rest = sent(["A cardholder may disp", "The model does not answer. "], "The model does not answer. A. [1]")
    assert first.startswith("A cardholder may disp")
    assert rest == "\n\nThe model does not answer. A. [1]"


@given(st.lists(st.text("ab [].123", max_size=6), max_size=30))
def test_tokens_and_rest_always_make_up_the_renumbered_answer(tokens: list[str]) -> None:
    answer = renumbered("".join(tokens))
    first, rest = sent(tokens, answer)
    assert first + rest == answer


@given(st.lists(st.sampled_from(["Sentence. [1]", " More. [2]", " Again. [1]"]), max_size=6))
def test_marks_in_order_hold_nothing_back(sentences: list[str]) -> None:
    written = "".join(["First. [1]", *sentences])
    assert sent(list(written), written) == (written, "")
