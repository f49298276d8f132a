"""Examples as chats: the prompt that serving asks, and an answer that begins with the label."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from finetune.data.dataset import Example
from tools.fraud.features import derive_features
from tools.fraud.flags import Flag, raise_flags
from tools.fraud.policy import FraudPolicy
from tools.fraud.prompt import FRAUD, LEGITIMATE, LabelPrompt, load_prompt
from tools.fraud.reasoning import explain_flags
from tools.fraud.transaction import Transaction

_DEFAULT_SCORES = {FRAUD: 95, LEGITIMATE: 5}


def chat_prompt(labels: Iterable[str]) -> LabelPrompt:
    """The fraud prompt for its two labels; for others an instruction that names them."""
    names = tuple(sorted(set(labels)))
    if set(names) <= {FRAUD, LEGITIMATE}:
        return load_prompt()
    choices = f"{', '.join(names[:-1])} or {names[-1]}"
    return LabelPrompt("custom", f"You are a classifier. Read the text and answer with one word: {choices}.", names)


def to_chat(example: Example, policy: FraudPolicy, prompt: LabelPrompt) -> dict[str, Any]:
    """The example as `{"messages": [system, user, assistant]}`.

    The answer's first line is the label alone, as serving reads it; score, red flags and reasoning follow where the
    example holds a transaction. Red flags are computed, never invented.
    """
    asked = [{"role": message.role, "content": message.content} for message in prompt.messages(example.text)]
    return {"id": example.id, "messages": [*asked, {"role": "assistant", "content": _answer(example, policy)}]}


def _answer(example: Example, policy: FraudPolicy) -> str:
    facts = example.attributes.get("transaction")
    if not isinstance(facts, dict):
        return example.label
    transaction = Transaction.model_validate(facts)
    flags = raise_flags(transaction, policy, derive_features(transaction, policy))
    return "\n".join(
        [
            example.label,
            f"Risk score: {_risk_score(example, flags)}",
            f"Red flags: {', '.join(flag.code for flag in flags) or 'none'}",
            f"Reasoning: {_reasoning(transaction, flags)}",
        ]
    )


def _risk_score(example: Example, flags: list[Flag]) -> int:
    """Within the example's band, higher the more the flags weigh."""
    band = example.attributes.get("band")
    if not isinstance(band, str):
        return _DEFAULT_SCORES.get(example.label, 50)
    low, high = (int(edge) for edge in band.split("-"))
    weight = min(100, sum(flag.points for flag in flags)) / 100
    return round(low + (high - low) * weight)


def _reasoning(transaction: Transaction, flags: list[Flag]) -> str:
    stated = explain_flags(flags)
    return f"{stated} The note says: {transaction.note}." if transaction.note else stated
