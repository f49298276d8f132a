"""From a case to a row: the served narrative, and in training sometimes other words or fewer facts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from finetune.data.dataset import Example
from finetune.data.paraphrase import STYLES, paraphrase
from finetune.data.simulate import Case, Kind
from tools.fraud.features import derive_features
from tools.fraud.narrative import Phrase, narrate, phrases
from tools.fraud.policy import FraudPolicy
from tools.fraud.prompt import FRAUD, LEGITIMATE

PARAPHRASED = 0.4
SPARSE = 0.15
UNLISTED = 0.15
BANDS: dict[Kind, tuple[int, int]] = {"clear_fraud": (85, 100), "clear_legitimate": (0, 15), "borderline": (40, 60)}
_KEPT = frozenset({"amount", "blacklist", "alert", "note", "merchant", "code", "channel"})
"""What is never dropped: without them the label would not follow from the rest, or the row be no transaction."""


def band(case: Case) -> tuple[int, int]:
    """The score band of a case; a company rule is certain either way."""
    return BANDS.get(case.kind, BANDS["clear_fraud"] if case.fraud else BANDS["clear_legitimate"])


def render(case: Case, identity: str, policy: FraudPolicy) -> Example:
    """The case in the words that serving uses."""
    text = narrate(case.transaction, derive_features(case.transaction, policy))
    return _example(case, identity, text, "served")


def render_for_training(rng: random.Random, case: Case, identity: str, policy: FraudPolicy) -> Example:
    """As `render`, but some rows in another style, some with fewer facts, some without the company's lists.

    So an adapter scores bare transactions too, and knows blacklisted names where no list is loaded.
    """
    if case.kind == "company" and rng.random() < UNLISTED:
        policy = FraudPolicy(policy.thresholds)
    told = phrases(case.transaction, derive_features(case.transaction, policy))
    sparse = rng.random() < SPARSE
    if sparse:
        told = _drop(rng, told)
    if rng.random() < PARAPHRASED:
        style = rng.choice(STYLES)
        return _example(case, identity, paraphrase(told, style), f"{style.name}{', sparse' if sparse else ''}")
    text = ", ".join(phrase.text for phrase in told) + "."
    return _example(case, identity, text, "sparse" if sparse else "served")


def tell_all_ways(case: Case, policy: FraudPolicy) -> list[str]:
    """The case in every style but the served one."""
    told = phrases(case.transaction, derive_features(case.transaction, policy))
    return [paraphrase(told, style) for style in STYLES]


def _drop(rng: random.Random, told: Sequence[Phrase]) -> list[Phrase]:
    rate = rng.uniform(0.15, 0.7)
    return [phrase for phrase in told if phrase.topic in _KEPT or rng.random() >= rate]


def _example(case: Case, identity: str, text: str, style: str) -> Example:
    low, high = band(case)
    attributes: dict[str, Any] = {
        "kind": case.kind,
        "scenario": case.scenario,
        "band": f"{low}-{high}",
        "style": style,
        "transaction": case.transaction.model_copy(update={"transaction_id": identity}).model_dump(
            mode="json", exclude_none=True, exclude_defaults=True
        ),
    }
    return Example(identity, text, FRAUD if case.fraud else LEGITIMATE, case.customer, attributes=attributes)
