"""The explanation beside a score, composed from computed flags only: nothing in it is generated."""

from __future__ import annotations

from collections.abc import Sequence

from tools.fraud.flags import Flag
from tools.fraud.prompt import FRAUD

_MAX_REASONS = 4


def explain(
    label: str, probability: float, *, calibrated: bool, flags: Sequence[Flag], base: str, adapter: str | None
) -> str:
    """Sentences that say how far the label can be trusted, and the heaviest flags with their numbers."""
    return f"{_verdict(label, probability, calibrated, base, adapter)} {explain_flags(flags)}"


def explain_flags(flags: Sequence[Flag]) -> str:
    """One sentence about the raised flags; all that can be said when no model answers."""
    if not flags:
        return "No rule raised a red flag on the facts given."
    reasons = "; ".join(flag.evidence for flag in flags[:_MAX_REASONS])
    more = f"; and {len(flags) - _MAX_REASONS} more" if len(flags) > _MAX_REASONS else ""
    return f"Red flags: {reasons}{more}."


def _verdict(label: str, probability: float, calibrated: bool, base: str, adapter: str | None) -> str:
    if calibrated:
        verdict = "looks fraudulent" if label == FRAUD else "looks legitimate"
        source = f" by the adapter {adapter}" if adapter else ""
        return f"This transaction {verdict}: calibrated fraud probability {probability:.0%}{source}."
    model = f"The adapter {adapter}" if adapter else f"The base model {base}, which was not trained on fraud,"
    return (
        f"{model} leans to {label} (uncalibrated probability {probability:.0%}); "
        "do not decide by it, decide by the red flags."
    )
