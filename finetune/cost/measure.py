"""Tokens per decision, counted on real prompts with the base model's own tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from finetune.cost.prompts import prompted_messages, tuned_messages
from tools.fraud.policy import FraudPolicy
from tools.ports import Message

LABEL_TOKENS = 1
"""The tuned model's answer: the label's first token decides."""
PROMPTED_TOKENS = 4
"""A prompted model has to write the label out and end its turn."""
_TURN_TOKENS = 5
"""What the chat format puts around a message: its markers, the role and two line ends."""
_ANSWER_TOKENS = 3
"""What it puts before the answer."""


@dataclass(frozen=True)
class TokenCounts:
    """Mean tokens of one decision. `cached` is the part of the input that is the same for every decision."""

    input: int
    output: int
    cached: int


def measure_tokens(
    narratives: Sequence[str], policy: FraudPolicy, count: Callable[[str], int]
) -> tuple[TokenCounts, TokenCounts]:
    """Tokens of the tuned model's prompt and of the prompt with rules and examples, over these narratives."""
    question = mean(count(narrative) + _TURN_TOKENS + _ANSWER_TOKENS for narrative in narratives)
    found: list[TokenCounts] = []
    for messages, answer in (
        (tuned_messages(""), LABEL_TOKENS),
        (prompted_messages("", policy), PROMPTED_TOKENS),
    ):
        fixed = _tokens(messages[:-1], count)
        found.append(TokenCounts(round(fixed + question), answer, fixed))
    return found[0], found[1]


def _tokens(messages: Sequence[Message], count: Callable[[str], int]) -> int:
    return sum(count(message.content) + _TURN_TOKENS for message in messages)
