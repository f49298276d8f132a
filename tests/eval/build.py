"""Hand-made cases, results and evaluations for the tests of the evaluation."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.results import Citation, FraudModel, FraudResult, Route, TurnResult
from eval.cases import Expectation, GoldenCase
from eval.diagnosis import Passages
from eval.measures import costs, measure
from eval.outcomes import Answered, Evaluation, Outcome, Subset

TEXT = "Debit card purchases can be disputed within 90 days. Ask the Head of Disputes."
QUOTE = "Debit card purchases can be disputed within 90 days."


def case(
    kind: Route = "knowledge", turns: Sequence[str] = ("How long?",), case_id: str = "k-1", **expect: Any
) -> GoldenCase:
    expectation = Expectation(**{"route": kind, **expect})
    return GoldenCase(id=case_id, kind=kind, turns=list(turns), expect=expectation)


def citation(n: int = 1, document_id: str = "disputes.md", quote: str = QUOTE) -> Citation:
    return Citation(n=n, document_id=document_id, chunk_id=f"{document_id}#0", title="Disputes", page=None, quote=quote)


def answered(route: Route = "knowledge", **fields: Any) -> Answered:
    values: dict[str, Any] = {
        "route": route,
        "routed_to": route,
        "confidence": 0.9,
        "answer": f"{QUOTE} [1]" if route == "knowledge" else "",
        "abstained": route == "unknown",
        "citations": [citation()] if route == "knowledge" else [],
    }
    return Answered(**values | fields)


def fraud(probability: float = 0.83, risk_score: int = 83, label: str = "FRAUD") -> FraudResult:
    return FraudResult.model_validate(
        {
            "label": label,
            "probability": probability,
            "calibrated": False,
            "risk_score": risk_score,
            "red_flags": [],
            "reasoning": "",
            "needs_review": False,
            "model": FraudModel(base="small", adapter=None, sha256=None),
        }
    )


def turn_result(route: Route = "knowledge", **fields: Any) -> dict[str, Any]:
    """A `result` object as the run manager gives it."""
    kept = answered(route)
    names = ("route", "routed_to", "confidence", "answer", "abstained", "citations")
    values = {name: getattr(kept, name) for name in names} | fields
    result = TurnResult(**values).model_dump(mode="json", by_alias=True)
    return result | {"timings": {"ttft_ms": 40.0, "total_ms": 100.0}}


@dataclass
class ScriptedSystem:
    """Answers with what it was given, by the last turn; raises what is an exception, sleeps where nothing is given."""

    results: Mapping[str, dict[str, Any] | Exception]
    texts: Mapping[str, str] = field(default_factory=lambda: {"disputes.md": TEXT})
    found: Passages = (("disputes.md", TEXT),)
    asked: list[tuple[list[str], Path | None]] = field(default_factory=list[tuple[list[str], "Path | None"]])

    async def ask(self, turns: Sequence[str], document: Path | None) -> Mapping[str, Any]:
        self.asked.append((list(turns), document))
        result = self.results.get(turns[-1])
        if result is None:
            await asyncio.sleep(60)
            raise AssertionError("the case's time was up long ago")
        if isinstance(result, Exception):
            raise result
        return result

    async def document_text(self, document_id: str) -> str | None:
        return self.texts.get(document_id)

    async def passages(self, query: str) -> Passages:
        return self.found


def outcome(case_id: str = "k-1", kind: Route = "knowledge", **fields: Any) -> Outcome:
    values: dict[str, Any] = {
        "scores": {"route_accuracy": 1.0, "fact_match": 1.0},
        "answered": answered(kind, total_ms=100.0, ttft_ms=40.0, versions={"answer_model": "small"}),
    }
    return Outcome(**{"id": case_id, "kind": kind, "quick": True, "turns": ["How long?"], **values, **fields})


def evaluation(outcomes: Sequence[Outcome], subset: Subset = "full", baseline: Sequence[Outcome] = ()) -> Evaluation:
    return Evaluation(
        subset=subset,
        created_at="2026-03-01T10:00:00+00:00",
        golden_sha256="0" * 64,
        index_key="abc",
        machine={"cpu": "x86_64", "cpus": "2", "python": "3.11"},
        versions={"answer_model": ["small"]},
        wall_s=12.0,
        measures=measure(outcomes),
        costs=costs(outcomes),
        baseline=measure(baseline),
        outcomes=list(outcomes),
    )
