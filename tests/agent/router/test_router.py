from __future__ import annotations

import pytest

from agent.router.router import Router
from agent.router.utterances import Intent, Utterances

_ROUTE_OF: dict[Intent, tuple[str, ...]] = {
    "question": ("knowledge",),
    "extraction": ("extraction",),
    "fraud": ("fraud",),
    # Doubtful idle talk is left to the evidence in the documents.
    "other": ("unknown", "knowledge"),
}


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("How long does a cardholder have to report a dispute?", "knowledge"),
        ("what does the contract say about termination?", "knowledge"),
        ("what should I do if I see a 2,400 EUR payment in Lagos?", "knowledge"),
        ("where is the dipstick", "knowledge"),
        ("My card was declined although there is money on it.", "knowledge"),
        ("who are the parties and what is the effective date in the attached contract", "extraction"),
        ("Read this invoice and give me JSON", "extraction"),
        ("is this payment suspicious: 900 EUR at 3 am, jewellery, customer never bought there", "fraud"),
        ('{"amount": 310.5, "merchant": "Gadget Hut", "time": "02:14", "country": "RO"}', "fraud"),
        ('{"amount": 310.5, "merchant": "Gadget Hut", "time": "02:14", "country": "RO"} shall we stop it?', "fraud"),
        ('Give me the fields of {"amount": 310.5, "merchant": "Gadget Hut", "card": "1234"} as a table', "extraction"),
        ("play some music", "unknown"),
        ("hello there", "unknown"),
    ],
)
def test_messages_go_where_they_belong(router: Router, text: str, route: str) -> None:
    assert router.route(text).routed_to == route


def test_held_out_utterances_are_routed_right(router: Router, utterances: Utterances) -> None:
    rows = utterances.of("test")
    right = sum(router.route(row.text).routed_to in _ROUTE_OF[row.intent] for row in rows)
    assert right / len(rows) >= 0.93


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00",
        "🎉" * 300,
        "مرحبا كيف الحال؟",
        "a" * 1_000_000,
        "{" * 5000,
        "?" * 5000,
        "\n" * 5000,
        "é\u0301\u202e" * 99,
    ],
    ids=["empty", "blank", "nul", "emoji", "rtl", "megabyte", "braces", "marks", "lines", "combining"],
)
def test_hostile_messages_get_a_decision(router: Router, text: str) -> None:
    decision = router.route(text)
    assert sum(decision.probabilities.values()) == pytest.approx(1)


def test_routing_is_deterministic(router: Router) -> None:
    text = "Score this: 20 EUR at a bakery, 8 am"
    assert router.route(text) == router.route(text)


def test_an_attachment_with_a_bare_instruction_is_extraction(router: Router) -> None:
    assert router.route("read out the fields please", attached_document=True).routed_to == "extraction"
