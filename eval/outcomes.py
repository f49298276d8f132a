"""The result file of an evaluation: what each case came to, how it was judged, and the figures over all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.results import Citation, FraudResult, Route
from tools.errors import InputError

Cause = Literal[
    "routing", "false abstention", "retrieval", "sentence choice", "citation", "answered", "extraction", "fraud"
]
Subset = Literal["full", "quick"]


class OutcomeModel(BaseModel):
    """Base of everything in a result file."""

    model_config = ConfigDict(extra="forbid")


class InstrumentFailure(OutcomeModel):
    """Why a case could not be judged: a fault of the set-up (time-out, error), not a wrong answer."""

    code: str
    message: str


class Answered(OutcomeModel):
    """The part of a turn's result that is judged or helps to understand the judgement."""

    route: Route
    routed_to: Route
    confidence: float
    answer: str
    abstained: bool
    reason: str | None = None
    citations: list[Citation] = Field(default_factory=list[Citation])
    data: dict[str, Any] | None = None
    fraud: FraudResult | None = None
    degraded: bool = False
    explanation: dict[str, Any] = Field(default_factory=dict[str, Any])
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    ttft_ms: float | None = None
    total_ms: float | None = None
    versions: dict[str, str] = Field(default_factory=dict[str, str])


class Outcome(OutcomeModel):
    """One case as it went: `scores` holds a value in [0, 1] for every metric that applies to it."""

    id: str
    kind: Route
    quick: bool
    turns: list[str]
    answered: Answered | None = None
    scores: dict[str, float] = Field(default_factory=dict[str, float])
    notes: list[str] = Field(default_factory=list[str])
    cause: Cause | None = None
    instrument_failure: InstrumentFailure | None = None


class Measure(OutcomeModel):
    """A figure with its 95% bootstrap interval over cases. `route` is the cases' kind, or `all`."""

    route: str
    metric: str
    n: int
    value: float
    low: float
    high: float

    @property
    def key(self) -> str:
        """How floors name it, as in `knowledge.fact_match`."""
        return f"{self.route}.{self.metric}"


class Cost(OutcomeModel):
    """Time, tokens and money of the judged turns of one kind; milliseconds, tokens per turn, US dollars in total."""

    route: str
    n: int
    p50_ms: float | None
    p95_ms: float | None
    ttft_p50_ms: float | None
    ttft_p95_ms: float | None
    prompt_tokens: float
    completion_tokens: float
    cost_usd: float


class Evaluation(OutcomeModel):
    """A result file. `baseline` holds the same figures of the keyword system on the same cases."""

    subset: Subset
    created_at: str
    golden_sha256: str
    index_key: str
    machine: dict[str, str]
    versions: dict[str, list[str]]
    wall_s: float
    measures: list[Measure]
    costs: list[Cost]
    baseline: list[Measure]
    outcomes: list[Outcome]

    @property
    def instrument_failures(self) -> list[Outcome]:
        """The cases that could not be judged."""
        return [outcome for outcome in self.outcomes if outcome.instrument_failure]

    @property
    def failures(self) -> list[Outcome]:
        """The cases that were judged and fell short in at least one metric."""
        return [outcome for outcome in self.outcomes if outcome.cause]

    def measure(self, key: str) -> Measure | None:
        """The figure that floors call `key`; `None` where no case measured it."""
        return next((measure for measure in self.measures if measure.key == key), None)

    def save(self, path: Path) -> None:
        """Write the result file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def load_evaluation(path: Path) -> Evaluation:
    """Read a result file.

    Raises:
        InputError: it is missing or no result file.
    """
    try:
        return Evaluation.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}). `switchyard eval run --out {path}` writes it.",
            code="no_result_file",
        ) from None
    except ValidationError as error:
        raise InputError(
            f"{path} is no result file of this version ({error.error_count()} problems). Run the evaluation again.",
            code="invalid_result_file",
        ) from None
