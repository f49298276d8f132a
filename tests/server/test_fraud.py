"""Fraud scores over HTTP."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import httpx
import pytest

from tests.fakes.endpoint import FRAUD_LOGPROBS, FakeEndpoint, Reply
from tests.server.errors import assert_error

TRANSACTION = {
    "amount": 2400,
    "currency": "EUR",
    "merchant": "ElectroWorld",
    "channel": "ecommerce",
    "country": "NG",
    "customer_home_country": "DE",
    "customer_usual_amount": 45,
}
TEXT = "2400 EUR at ElectroWorld, ecommerce, country NG, home country DE, usual amount 45 EUR"


def score(http: httpx.Client, **body: Any) -> list[dict[str, Any]]:
    answer = http.post("/fraud/score", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


@pytest.mark.parametrize("body", [{"text": TEXT}, {"transaction": TRANSACTION}], ids=["text", "transaction"])
def test_one_transaction(http: httpx.Client, body: dict[str, Any]) -> None:
    (result,) = score(http, **body)
    assert result["label"] == "FRAUD"
    probability = 1 / (1 + math.exp(FRAUD_LOGPROBS["LEG"] - FRAUD_LOGPROBS["FRAUD"]))
    assert result["probability"] == pytest.approx(probability, abs=1e-3)
    assert result["risk_score"] == round(100 * result["probability"])
    assert result["calibrated"] is False
    assert result["model"] == {"base": "fake-fraud", "adapter": None, "sha256": None, "base_sha256": None}
    assert any(flag["evidence"] for flag in result["red_flags"])
    assert isinstance(result["needs_review"], bool)


def test_many_transactions_keep_their_order(http: httpx.Client, fake: FakeEndpoint) -> None:
    def leaning(body: dict[str, Any]) -> Reply:
        amount = re.match(r"(\d+)", body["messages"][-1]["content"])
        assert amount is not None
        return Reply("FRAUD", top_logprobs={"FRAUD": int(amount.group()) / 1000, "LEG": 0.0})

    fake.script = leaning
    results = score(http, transactions=[{**TRANSACTION, "amount": 100 * n} for n in range(1, 21)])
    probabilities = [result["probability"] for result in results]
    assert probabilities == pytest.approx([1 / (1 + math.exp(-n / 10)) for n in range(1, 21)], abs=1e-3)


def test_what_is_missing_is_asked_for(http: httpx.Client, fake: FakeEndpoint) -> None:
    error = assert_error(http.post("/fraud/score", json={"transaction": {"merchant": "X"}}), 422, "missing_fields")
    assert "amount" in json.dumps(error["details"])
    assert fake.requests == []


def test_the_bad_one_of_many_is_named(http: httpx.Client, fake: FakeEndpoint) -> None:
    body = {"transactions": [TRANSACTION, {"merchant": "X"}]}
    error = assert_error(http.post("/fraud/score", json=body), 422, "missing_fields")
    assert error["details"]["index"] == 1
    assert "Transaction 2" in error["message"]
    assert fake.requests == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"text": TEXT, "transaction": TRANSACTION}, "invalid_request"),
        ({"text": " "}, "empty_message"),
        ({"text": "x" * 200_001}, "message_too_long"),
        ({"transactions": []}, "invalid_request"),
        ({"transactions": [TRANSACTION] * 1001}, "invalid_request"),
        ({"transaction": []}, "invalid_request"),
        ({"transaction": {**TRANSACTION, "amount": float("inf")}}, "invalid_number"),
        ({"transaction": {**TRANSACTION, "merchant": "\ud800"}}, "invalid_text"),
        ({"transaction": TRANSACTION, "threshold": 0.1}, "invalid_request"),
    ],
)
def test_bad_requests_are_refused(http: httpx.Client, body: Any, code: str) -> None:
    content = json.dumps(body).encode()
    answer = http.post("/fraud/score", content=content, headers={"Content-Type": "application/json"})
    assert_error(answer, 422, code)


@pytest.mark.parametrize("amount", ["a lot", "", -5, 10**400, [], True])
def test_an_amount_that_is_none_is_never_guessed(http: httpx.Client, amount: Any) -> None:
    answer = http.post("/fraud/score", json={"transaction": {**TRANSACTION, "amount": amount}})
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["code"] in {"missing_fields", "invalid_fields", "invalid_number"}
