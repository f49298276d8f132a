from __future__ import annotations

from typing import Any

import pytest

from tests.tools.fraud.models import ScriptedModel
from tools.errors import ModelUnavailableError, NotFoundError
from tools.fraud import (
    AdapterManifest,
    Calibration,
    FraudPolicy,
    assess,
    explain_flags,
    label_logit,
    load_prompt,
    read_transaction,
    score,
    score_many,
)
from tools.fraud.label import read_labels
from tools.fraud.manifest import WeightsFile
from tools.fraud.score import review_reasons
from tools.ports import TokenLogprobs

POLICY = FraudPolicy()
LABELS = ("FRAUD", "LEGITIMATE")
RISKY = read_transaction(
    {"amount": "2,400 EUR", "merchant": "X", "usual_amount": 45, "distance_km": 5000, "minutes_since_last": 30}
)
PLAIN = read_transaction({"amount": "20 EUR", "merchant": "Bakery", "usual_amount": 20})


def manifest(**changes: Any) -> AdapterManifest:
    facts: dict[str, Any] = {
        "name": "issuer-1",
        "task": "fraud",
        "base": WeightsFile(name="base.gguf", sha256="a" * 64),
        "adapter": WeightsFile(name="adapter.gguf", sha256="b" * 64),
        "prompt_version": "label.v1",
        "prompt_sha256": load_prompt().sha256,
        "narrative_version": 1,
        "labels": LABELS,
        "calibration": Calibration(2.0, 0.0, method="temperature_bias"),
    }
    return AdapterManifest(**{**facts, **changes})


async def test_one_forced_token_with_raw_logprobs_is_asked_for() -> None:
    model = ScriptedModel({"F": -1.0, "LEG": -3.0, "The": -0.5})
    labels = await label_logit(model, "20 EUR, known merchant.")
    request = model.requests[0]
    assert (request.max_tokens, request.temperature, request.top_logprobs) == (1, 0.0, 20)
    assert request.grammar == 'root ::= "FRAUD" | "LEGITIMATE"'
    assert [message.role for message in request.messages] == ["system", "user"]
    assert request.messages[1].content == "20 EUR, known merchant."
    assert (labels.logp_fraud, labels.logp_legitimate, labels.z) == (-1.0, -3.0, 2.0)
    assert labels.floored == frozenset()


async def test_endpoints_without_grammars_get_none() -> None:
    model = ScriptedModel({"F": -1.0, "LEG": -3.0}, supports_grammar=False)
    await label_logit(model, "x")
    assert model.requests[0].grammar is None


async def test_an_endpoint_without_logprobs_cannot_score() -> None:
    with pytest.raises(ModelUnavailableError, match="log-probabilities"):
        await label_logit(ScriptedModel({}), "x")


@pytest.mark.parametrize(
    ("top", "expected", "floored"),
    [
        ({"F": -1.0, "FR": -0.5, "LEG": -2.0}, {"FRAUD": -0.5, "LEGITIMATE": -2.0}, set[str]()),
        ({"F": -1.0, "The": -4.0}, {"FRAUD": -1.0, "LEGITIMATE": -4.0}, {"LEGITIMATE"}),
        ({"The": -1.0, "A": -5.0}, {"FRAUD": -5.0, "LEGITIMATE": -5.0}, {"FRAUD", "LEGITIMATE"}),
        ({"": -1.0, "f": -2.0, "Leg": -3.0}, {"FRAUD": -3.0, "LEGITIMATE": -3.0}, {"FRAUD", "LEGITIMATE"}),
    ],
)
def test_tokens_are_matched_as_prefixes_of_one_label(
    top: dict[str, float], expected: dict[str, float], floored: set[str]
) -> None:
    token = next(iter(top))
    assert read_labels(TokenLogprobs(token, top[token], top), LABELS) == (expected, floored)


def test_a_token_that_begins_several_labels_counts_for_none() -> None:
    labels = ("FRAUD", "FALSE_ALARM", "OK")
    found, floored = read_labels(TokenLogprobs("F", -0.1, {"F": -0.1, "FR": -1.0, "OK": -2.0}), labels)
    assert found == {"FRAUD": -1.0, "FALSE_ALARM": -2.0, "OK": -2.0}
    assert floored == {"FALSE_ALARM"}


async def test_a_base_score_says_that_it_is_not_calibrated() -> None:
    result = await score(RISKY, ScriptedModel({"F": -1.0, "LEG": -3.0}), POLICY)
    assert result.label == "FRAUD"
    assert result.probability == pytest.approx(0.8808, abs=1e-4)
    assert (result.risk_score, result.calibrated, result.needs_review) == (88, False, False)
    assert [flag.code for flag in result.red_flags] == ["impossible_travel", "amount_far_above_usual", "round_amount"]
    assert (
        "base model scripted, which was not trained on fraud, leans to FRAUD (uncalibrated probability 88%)"
        in result.reasoning
    )
    assert "looks fraudulent" not in result.reasoning
    assert "2,400.00 EUR is 53.3 times the customer's usual 45.00 EUR" in result.reasoning
    assert (result.model.base, result.model.adapter, result.usage.prompt_tokens) == ("scripted", None, 10)


async def test_an_adapters_manifest_brings_calibration_threshold_and_identity() -> None:
    model = ScriptedModel({"F": -1.0, "LEG": -3.0})
    result = await score(RISKY, model, POLICY, manifest=manifest(threshold=0.8))
    assert result.probability == pytest.approx(0.7311, abs=1e-4)
    assert (result.label, result.calibrated) == ("LEGITIMATE", True)
    assert (result.model.base, result.model.adapter, result.model.sha256) == ("base.gguf", "issuer-1", "b" * 64)
    assert "calibrated fraud probability 73% by the adapter issuer-1" in result.reasoning


async def test_a_manifest_for_an_unknown_prompt_is_refused() -> None:
    with pytest.raises(NotFoundError):
        await score(PLAIN, ScriptedModel({"F": -1.0}), POLICY, manifest=manifest(prompt_version="../label.v1"))


@pytest.mark.parametrize(
    ("label", "probability", "heuristic", "unread", "reasons"),
    [
        ("FRAUD", 0.9, 60, False, ()),
        ("LEGITIMATE", 0.1, 0, False, ()),
        ("FRAUD", 0.55, 60, False, ("borderline",)),
        ("LEGITIMATE", 0.4, 0, False, ("borderline",)),
        ("LEGITIMATE", 0.1, 70, False, ("contradicted",)),
        ("FRAUD", 0.9, 0, False, ("contradicted",)),
        ("FRAUD", 0.9, 60, True, ("unreadable",)),
        ("FRAUD", 0.5, 0, True, ("borderline", "contradicted", "unreadable")),
    ],
)
def test_borderline_contradicted_and_unreadable_scores_wait_for_a_person(
    label: str, probability: float, heuristic: int, unread: bool, reasons: tuple[str, ...]
) -> None:
    assert review_reasons(label, probability, heuristic, unread=unread) == reasons


async def test_without_a_model_there_is_no_probability_but_the_flags_remain() -> None:
    with pytest.raises(ModelUnavailableError):
        await score(RISKY, ScriptedModel(None), POLICY)
    assessment = assess(RISKY, POLICY)
    assert assessment.heuristic == 75
    assert explain_flags(assessment.flags).startswith("Red flags: 5,000 km from the last transaction")
    assert explain_flags([]) == "No rule raised a red flag on the facts given."


async def test_many_are_scored_in_order_with_bounded_concurrency() -> None:
    model = ScriptedModel({"F": -1.0, "LEG": -3.0}, delay_s=0.005)
    transactions = [read_transaction({"amount": n, "merchant": "X"}) for n in range(1, 11)]
    results = await score_many(transactions, model, POLICY, concurrency=3)
    assert [result.narrative for result in results] == [f"Amount {n}.00, X." for n in range(1, 11)]
    assert model.most_running == 3


async def test_a_failure_among_many_is_raised_as_itself() -> None:
    with pytest.raises(ModelUnavailableError):
        await score_many([PLAIN, RISKY], ScriptedModel(None), POLICY)
