"""What a turn answers with: the models behind `result` in the chat API, the page and the checkpoints."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Route = Literal["knowledge", "extraction", "fraud", "unknown"]
Label = Literal["FRAUD", "LEGITIMATE"]
Decision = Literal["approve", "reject", "escalate"]


class ResultModel(BaseModel):
    """Base of all result models: nothing unnamed slips through."""

    model_config = ConfigDict(extra="forbid")


class Citation(ResultModel):
    """A pointer from `[n]` in the answer to the passage that supports it."""

    n: int = Field(ge=1, description="The number used in the answer's text, as in `[1]`.")
    document_id: str
    chunk_id: str
    title: str
    page: int | None = Field(description="Page number, counted from 1; null for formats without pages.")
    quote: str = Field(description="The supporting text, verbatim from the passage.")


class Evidence(ResultModel):
    """Where in the source a value stands: `text[start:end] == quote`."""

    start: int
    end: int
    quote: str
    page: int | None = None


class ExtractedField(ResultModel):
    """One value with its evidence, or an honest null with the reason."""

    value: Any
    evidence: Evidence | None
    confidence: float = Field(ge=0, le=1)
    reason: str | None = Field(default=None, description="Why the value is null, e.g. `not_found`.")


class ExtractionResult(ResultModel):
    """A document read into a schema. `fields` maps a path such as `line_items[0].amount` to its value and evidence."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    schema_name: str = Field(alias="schema")
    data: dict[str, Any]
    fields: dict[str, ExtractedField]
    warnings: list[str] = Field(default_factory=list[str])
    model: str
    document_id: str | None = None
    source_text: str | None = Field(default=None, description="The text that the evidence's offsets count in.")


class RedFlag(ResultModel):
    """A computed reason for suspicion; `evidence` states the numbers it was computed from."""

    code: str
    evidence: str


class FraudModel(ResultModel):
    """Which weights produced a score."""

    base: str
    adapter: str | None
    sha256: str | None = Field(description="Of the adapter's file, or of the base's where there is no adapter.")
    base_sha256: str | None = None


class FraudResult(ResultModel):
    """A scored transaction."""

    label: Label
    probability: float = Field(ge=0, le=1)
    threshold: float | None = Field(default=None, description="The probability from which the label is FRAUD.")
    calibrated: bool
    risk_score: int = Field(ge=0, le=100, description="round(100 x probability)")
    red_flags: list[RedFlag]
    reasoning: str
    needs_review: bool
    model: FraudModel


class ReviewRequest(ResultModel):
    """What a person is asked before a fraud score counts."""

    id: str = Field(description="Names this question; the run's id names its place in the queue.")
    kind: Literal["fraud_review"] = "fraud_review"
    question: str
    reasons: list[str] = Field(description="Why a person is asked: `borderline`, `contradicted`, `unreadable`.")
    label: Label = Field(description="The model's.")
    probability: float = Field(ge=0, le=1)
    risk_score: int = Field(ge=0, le=100)
    red_flags: list[RedFlag]
    transaction: str = Field(description="What was scored, in words.")
    decisions: list[Decision] = Field(description="What can be decided.")


class ReviewOutcome(ResultModel):
    """What a person decided, beside the model's score, which stays as it was."""

    decision: Literal["approve", "reject"]
    label: Label = Field(description="The label that counts.")
    overridden: bool = Field(description="Whether it is another one than the model's.")
    comment: str | None = None
    reviewer: str | None = None
    decided_at: float | None = Field(default=None, description="Seconds since 1970.")


class TokenUsage(ResultModel):
    """Tokens and cost of a turn."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0


class TurnResult(ResultModel):
    """What one turn came to. `routed_to` is the router's first decision, `route` the node that answered in the end."""

    route: Route
    routed_to: Route
    confidence: float = Field(ge=0, le=1)
    answer: str
    abstained: bool
    reason: str | None = Field(
        default=None,
        description="Why nothing was answered, e.g. `off_topic`; `conflicting`: documents that are quoted disagree.",
    )
    suggestions: list[str] = Field(default_factory=list[str])
    citations: list[Citation] = Field(default_factory=list[Citation])
    extraction: ExtractionResult | None = None
    fraud: FraudResult | None = None
    interrupt: ReviewRequest | None = Field(default=None, description="What a person is asked, while the run waits.")
    review: ReviewOutcome | None = Field(default=None, description="What a person decided on `fraud`.")
    degraded: bool = Field(default=False, description="True when a model was missing and something simpler answered.")
    cached: bool = Field(default=False, description="True when this answers again what was asked before: no model ran.")
    usage: TokenUsage = Field(default_factory=TokenUsage)
    explanation: dict[str, Any] = Field(default_factory=dict[str, Any], description="Why this route and this answer.")
    versions: dict[str, str] = Field(default_factory=dict[str, str], description="Models and prompts that were used.")
