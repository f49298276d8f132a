"""Why a case fell short: the first step of the graph that went wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from eval.cases import GoldenCase
from eval.metrics import METRICS, states
from eval.outcomes import Answered, Cause, Outcome

Passages = Sequence[tuple[str, str]]
"""(document id, text) of each passage that the answer may quote from."""


async def find_cause(
    case: GoldenCase, outcome: Outcome, answered: Answered, passages: Callable[[str], Awaitable[Passages]]
) -> Cause | None:
    """The cause of a judged case's shortfall, `None` where it is perfect; `passages` looks a query up again."""
    if not any(_short(metric, value) for metric, value in outcome.scores.items()):
        return None
    if outcome.scores["route_accuracy"] < 1:
        return _wrong_route(case, answered)
    if case.kind == "extraction":
        return "extraction"
    if case.kind == "fraud":
        return "fraud"
    if outcome.scores.get("fact_match", 1) < 1:
        found = await passages(answered.explanation.get("query", case.turns[-1]))
        return "sentence choice" if holds_facts(case, found) else "retrieval"
    return "sentence choice" if outcome.scores.get("fact_match_short", 1) < 1 else "citation"


def holds_facts(case: GoldenCase, passages: Passages) -> bool:
    """Whether passages of the expected document state all expected facts."""
    expected = case.expect.document_id
    texts = [text for document_id, text in passages if expected in (None, document_id)]
    return all(any(states(text, wording) for text in texts for wording in fact) for fact in case.expect.facts)


def _wrong_route(case: GoldenCase, answered: Answered) -> Cause:
    if answered.routed_to == case.expect.route:
        return "false abstention"
    if case.kind == "unknown" and answered.routed_to == "knowledge":
        return "answered"
    return "routing"


def _short(metric: str, value: float) -> bool:
    return value > 0 if METRICS[metric].lower_is_better else value < 1
