"""A transaction's fraud score: the model's label probability beside the flags computed from the facts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from tools.fraud.calibration import Calibration
from tools.fraud.features import Features, derive_features
from tools.fraud.flags import Flag, heuristic_score, raise_flags
from tools.fraud.instructions import as_told
from tools.fraud.label import LabelScore, label_logit
from tools.fraud.manifest import AdapterManifest
from tools.fraud.narrative import narrate
from tools.fraud.policy import FraudPolicy
from tools.fraud.prompt import DEFAULT_PROMPT, LabelPrompt, load_prompt
from tools.fraud.reasoning import explain
from tools.fraud.transaction import Transaction
from tools.ports import ChatModel, Usage

REVIEW_BAND = (0.4, 0.6)
STRONG_EVIDENCE = 50
WEAK_EVIDENCE = 10
DEFAULT_THRESHOLD = 0.5

ReviewReason = Literal["borderline", "contradicted", "unreadable"]


class IdentifiedModel(ChatModel, Protocol):
    """A chat model that says which weights it serves."""

    @property
    def base_name(self) -> str:
        """The model's name without an adapter."""
        ...

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the weights, where known."""
        ...


@dataclass(frozen=True)
class Assessment:
    """What can be said of a transaction without a model. `heuristic` sums the flags' points (0 to 100)."""

    transaction: Transaction
    features: Features
    narrative: str
    flags: list[Flag]
    heuristic: int


@dataclass(frozen=True)
class ScoredBy:
    """Which weights produced a score: `sha256` is the adapter's, or the base's where there is none."""

    base: str
    adapter: str | None
    sha256: str | None
    base_sha256: str | None


@dataclass(frozen=True)
class FraudScore:
    """A scored transaction, FRAUD from a probability of `threshold`. `risk_score` is round(100 x probability); `z` the
    raw logit; `floored` says that a label was outside the model's top list, so that the probability is only a bound;
    `prompt` the version that asked."""

    label: Literal["FRAUD", "LEGITIMATE"]
    probability: float
    threshold: float
    calibrated: bool
    risk_score: int
    red_flags: list[Flag]
    reasoning: str
    review_reasons: tuple[ReviewReason, ...]
    model: ScoredBy
    narrative: str
    z: float
    floored: bool
    prompt: str
    usage: Usage

    @property
    def needs_review(self) -> bool:
        """Whether a person should look."""
        return bool(self.review_reasons)


def assess(transaction: Transaction, policy: FraudPolicy) -> Assessment:
    """Features, narrative and flags: deterministic, and all that is left when no model answers."""
    features = derive_features(transaction, policy)
    flags = raise_flags(transaction, policy, features)
    return Assessment(transaction, features, narrate(as_told(transaction), features), flags, heuristic_score(flags))


async def score(
    transaction: Transaction,
    model: IdentifiedModel,
    policy: FraudPolicy,
    calibration: Calibration | None = None,
    manifest: AdapterManifest | None = None,
) -> FraudScore:
    """Score one transaction; `calibration` overrides the manifest's.

    Raises ModelUnavailableError: without a model there is no probability, only `assess`.
    """
    assessment = assess(transaction, policy)
    prompt = _prompt(manifest)
    labels = await label_logit(model, assessment.narrative, prompt)
    calibration = calibration or (manifest.calibration if manifest else Calibration())
    probability = calibration.probability(labels.z)
    threshold = manifest.threshold if manifest else DEFAULT_THRESHOLD
    label = "FRAUD" if probability >= threshold else "LEGITIMATE"
    scored_by = _scored_by(model, manifest)
    return FraudScore(
        label=label,
        probability=probability,
        threshold=threshold,
        calibrated=calibration.calibrated,
        risk_score=round(100 * probability),
        red_flags=assessment.flags,
        reasoning=explain(
            label,
            probability,
            calibrated=calibration.calibrated,
            flags=assessment.flags,
            base=scored_by.base,
            adapter=scored_by.adapter,
        ),
        review_reasons=review_reasons(label, probability, assessment.heuristic, unread=_unread(labels, calibration)),
        model=scored_by,
        narrative=assessment.narrative,
        z=labels.z,
        floored=bool(labels.floored),
        prompt=prompt.version,
        usage=labels.usage,
    )


async def score_many(
    transactions: Sequence[Transaction],
    model: IdentifiedModel,
    policy: FraudPolicy,
    calibration: Calibration | None = None,
    manifest: AdapterManifest | None = None,
    *,
    concurrency: int = 4,
) -> list[FraudScore]:
    """Score transactions in order, `concurrency` at a time; the first failure cancels the rest and is raised."""
    slots = asyncio.Semaphore(concurrency)

    async def one(transaction: Transaction) -> FraudScore:
        async with slots:
            return await score(transaction, model, policy, calibration, manifest)

    tasks: list[asyncio.Task[FraudScore]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(transaction)) for transaction in transactions]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return [task.result() for task in tasks]


def review_reasons(label: str, probability: float, heuristic: int, *, unread: bool = False) -> tuple[ReviewReason, ...]:
    """Why a person should look: a borderline probability, model and flags that disagree, an unreadable label."""
    low, high = REVIEW_BAND
    contradicted = heuristic >= STRONG_EVIDENCE if label == "LEGITIMATE" else heuristic < WEAK_EVIDENCE
    found: dict[ReviewReason, bool] = {
        "borderline": low <= probability <= high,
        "contradicted": contradicted,
        "unreadable": unread,
    }
    return tuple(reason for reason, holds in found.items() if holds)


def _prompt(manifest: AdapterManifest | None) -> LabelPrompt:
    """The prompt that an adapter was trained with, or the default one."""
    if manifest is None:
        return load_prompt(DEFAULT_PROMPT)
    return replace(load_prompt(manifest.prompt_version), levels=manifest.levels)


def _unread(labels: LabelScore, calibration: Calibration) -> bool:
    # Of a trained model a label that is not even listed is one that it rules out; of others nothing is known.
    return labels.unread or (bool(labels.floored) and not calibration.calibrated)


def _scored_by(model: IdentifiedModel, manifest: AdapterManifest | None) -> ScoredBy:
    if manifest is None:
        return ScoredBy(model.base_name, model.adapter, model.sha256, model.sha256)
    return ScoredBy(manifest.base.name, manifest.name, manifest.adapter.sha256, manifest.base.sha256)
