"""The explanation beside a score, composed from computed flags only: nothing in it is generated."""

from __future__ import annotations

from collections.abc import Sequence

from tools.fraud.flags import Flag
from tools.fraud.prompt import FRAUD

_MAX_REASONS = 4


def explain(label: str, probability: float, *, calibrated: bool, flags: Sequence[Flag], adapter: str | None) -> str:
    """Sentences that name the label, where the probability comes from and the heaviest flags with their numbers."""
    verdict = "looks fraudulent" if label == FRAUD else "looks legitimate"
    return f"This transaction {verdict}: {_source(probability, calibrated, adapter)}. {explain_flags(flags)}"


def explain_flags(flags: Sequence[Flag]) -> str:
    """One sentence about the raised flags; all that can be said when no model answers."""
    if not flags:
        return "No rule raised a red flag on the facts given."
    reasons = "; ".join(flag.evidence for flag in flags[:_MAX_REASONS])
    more = f"; and {len(flags) - _MAX_REASONS} more" if len(flags) > _MAX_REASONS else ""
    return f"Red flags: {reasons}{more}."


def _source(probability: float, calibrated: bool, adapter: str | None) -> str:
    chance = f"fraud probability {probability:.0%}"
    if calibrated:
        return f"calibrated {chance}" + (f" by the adapter {adapter}" if adapter else "")
    model = f"the adapter {adapter}" if adapter else "the base model, which was not trained on fraud"
    return f"{chance}, an uncalibrated estimate of {model}, so weigh the red flags above it"
