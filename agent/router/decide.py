"""From intent probabilities and cheap evidence to a route: pure, and able to say why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.results import Route
from agent.router.utterances import INTENTS, Intent

_ROUTE_OF: Mapping[Intent, Route] = {
    "question": "knowledge",
    "extraction": "extraction",
    "fraud": "fraud",
    "other": "unknown",
}


@dataclass(frozen=True)
class Signals:
    """Evidence that costs nothing to look at.

    `transaction_score` (0..1) says how much the message looks like a concrete transaction.
    """

    attached_document: bool = False
    transaction_score: float = 0.0


@dataclass(frozen=True)
class Thresholds:
    """Chosen on the validation split (`python -m eval.router_report` reports what they do on the test split).

    `attached` and `transaction` are added to log odds. A message is turned away as no task of ours only when
    `other` reaches `other_floor`: below, the evidence in the documents decides. `ambiguous_margin` is the least lead
    of one reading over the next.
    """

    attached: float = 1.5
    transaction: float = 2.0
    other_floor: float = 0.5
    ambiguous_margin: float = 0.05


@dataclass(frozen=True)
class RouteDecision:
    """The router's first decision.

    `routed_to` is `unknown` with `ambiguous` when two readings are about equally likely; `alternatives` then holds
    both, otherwise the other routes in order of probability. `probabilities` include the evidence.
    """

    routed_to: Route
    confidence: float
    probabilities: Mapping[Intent, float]
    alternatives: Sequence[Route]
    reasons: Sequence[str]
    ambiguous: bool


DEFAULT_THRESHOLDS = Thresholds()


def decide(
    probabilities: Mapping[Intent, float], signals: Signals, thresholds: Thresholds = DEFAULT_THRESHOLDS
) -> RouteDecision:
    """Route a message whose intent probabilities sum to one."""
    weighed, reasons = _weigh(probabilities, signals, thresholds)
    readings = _readings(weighed, thresholds)
    (best, confidence), (second, runner_up), *rest = sorted(readings.items(), key=lambda item: -item[1])
    if confidence - runner_up < thresholds.ambiguous_margin and "unknown" not in (best, second):
        reasons.append(f"{best} ({confidence:.2f}) and {second} ({runner_up:.2f}) are about equally likely")
        return RouteDecision("unknown", confidence, weighed, [best, second], reasons, ambiguous=True)
    reasons.append(_because(best, confidence))
    return RouteDecision(best, confidence, weighed, [second, *(route for route, _ in rest)], reasons, ambiguous=False)


def _weigh(
    probabilities: Mapping[Intent, float], signals: Signals, thresholds: Thresholds
) -> tuple[dict[Intent, float], list[str]]:
    shifts = dict.fromkeys(INTENTS, 0.0)
    reasons: list[str] = []
    if signals.attached_document:
        shifts["extraction"] += thresholds.attached
        reasons.append("a document is attached")
    if signals.transaction_score >= 0.5:
        shifts["fraud"] += thresholds.transaction * signals.transaction_score
        reasons.append(f"the text holds a transaction (score {signals.transaction_score:.2f})")
    raised: dict[Intent, float] = {intent: probabilities[intent] * math.exp(shifts[intent]) for intent in INTENTS}
    total = sum(raised.values())
    weighed: dict[Intent, float] = {intent: value / total for intent, value in raised.items()}
    return weighed, reasons


def _readings(weighed: Mapping[Intent, float], thresholds: Thresholds) -> dict[Route, float]:
    readings: dict[Route, float] = {_ROUTE_OF[intent]: weighed[intent] for intent in INTENTS}
    if weighed["other"] < thresholds.other_floor:
        # Not surely idle talk: whether it can be answered is for the evidence in the documents to say.
        readings["knowledge"] += readings["unknown"]
        readings["unknown"] = 0.0
    return readings


def _because(best: Route, confidence: float) -> str:
    if best == "unknown":
        return f"not a question, an extraction or a transaction (probability {confidence:.2f})"
    return f"reads as {best} (probability {confidence:.2f})"
