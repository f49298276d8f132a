"""Replays golden cases through a system, one after the other, and judges what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from eval.cases import GoldenCase
from eval.diagnosis import Passages, find_cause
from eval.metrics import judge
from eval.outcomes import Answered, InstrumentFailure, Outcome
from tools.errors import SwitchyardError

CASE_TIMEOUT_S = 120.0
_JUDGED = (
    "route",
    "routed_to",
    "confidence",
    "answer",
    "abstained",
    "reason",
    "citations",
    "fraud",
    "degraded",
    "versions",
)


class System(Protocol):
    """What is evaluated: the graph with its models and documents, or something simpler to compare it with."""

    async def ask(self, turns: Sequence[str], document: Path | None) -> Mapping[str, Any]:
        """Hold a new conversation, the document attached to each turn; the `result` object of the last turn.

        Raises:
            SwitchyardError: a turn ended without a result.
        """
        ...

    async def document_text(self, document_id: str) -> str | None:
        """The text that citations of a document quote from; `None` where there is no such document."""
        ...

    async def passages(self, query: str) -> Passages:
        """What an answer to a stand-alone question may quote from, best first."""
        ...


async def run_cases(
    system: System,
    cases: Sequence[GoldenCase],
    *,
    timeout_s: float = CASE_TIMEOUT_S,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Replay and judge `cases`; `on_outcome` is told of each as it ends."""
    outcomes: list[Outcome] = []
    for case in cases:
        outcomes.append(await _run_case(system, case, timeout_s))
        on_outcome(outcomes[-1])
    return outcomes


async def _run_case(system: System, case: GoldenCase, timeout_s: float) -> Outcome:
    outcome = Outcome(id=case.id, kind=case.kind, quick=case.quick, turns=case.turns)
    try:
        async with asyncio.timeout(timeout_s):
            result = await system.ask(case.turns, case.document_path)
    except TimeoutError:
        outcome.instrument_failure = InstrumentFailure(code="timeout", message=f"no result within {timeout_s:g} s")
        return outcome
    except SwitchyardError as error:
        outcome.instrument_failure = InstrumentFailure(code=error.code, message=error.message)
        return outcome
    outcome.answered = answered = read_result(result)
    if result["cached"]:
        outcome.instrument_failure = InstrumentFailure(code="cached", message="the answer came from the cache")
        return outcome
    if answered.degraded:
        outcome.instrument_failure = InstrumentFailure(code="degraded", message="a model was missing")
        return outcome
    documents = {
        citation.document_id: await system.document_text(citation.document_id) for citation in answered.citations
    }
    scores = judge(case, answered, documents)
    outcome.scores = {score.metric: score.value for score in scores}
    outcome.notes = list(dict.fromkeys(f"{score.metric}: {score.note}" for score in scores if score.note))
    outcome.cause = await find_cause(case, outcome, answered, system.passages)
    return outcome


def read_result(result: Mapping[str, Any]) -> Answered:
    """Keep of a turn's `result` what is judged, and enough of its explanation to understand the judgement."""
    usage, timings = result["usage"], result.get("timings", {})
    return Answered.model_validate(
        {name: result[name] for name in _JUDGED}
        | {
            "data": (result["extraction"] or {}).get("data"),
            "explanation": _brief(result["explanation"]),
            **{name: usage[name] for name in ("prompt_tokens", "completion_tokens", "cost_usd")},
            **{name: timings.get(name) for name in ("ttft_ms", "total_ms")},
        }
    )


def _brief(explanation: Mapping[str, Any]) -> dict[str, Any]:
    brief = {name: explanation[name] for name in ("query", "narrative") if name in explanation}
    if router := explanation.get("router"):
        brief["router"] = {name: router[name] for name in ("probabilities", "reasons")}
    if evidence := explanation.get("evidence"):
        brief["evidence"] = {name: evidence[name] for name in ("probability", "threshold")}
    if passages := explanation.get("passages"):
        brief["passages"] = [passage["chunk_id"] for passage in passages]
    return brief
