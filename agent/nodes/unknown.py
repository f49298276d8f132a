"""The "I don't know" node: says so, says why, offers what can be done. No model of its own, no citation."""

from __future__ import annotations

from typing import Any

from agent.nodes.events import emit, finish_turn
from agent.results import Route
from agent.state import GraphState, RoutedTurn
from tools.ports import Usage

_REASONS = {
    "off_topic": "I don't know. Your documents do not seem to be about this, and I only answer from them.",
    "not_in_documents": "I don't know. I looked through your documents and found nothing that answers this.",
    "no_documents": "I don't know. There are no documents to answer from yet; add some and ask again.",
    "not_supported": "I don't know. I found related passages, but no answer that they support.",
    "instructions_repeated": (
        "I don't know. The model began to recite its instructions instead of your documents, so its answer is withheld."
    ),
    "model_looped": "I don't know. The model repeated itself without end, so its answer is withheld.",
    "not_a_task": "I don't know what to do with this. It is not a question, a document to read or a transaction.",
    "empty": "I don't know what you would like: the message holds no words.",
}
_NEAR_MISS = "I don't know. Your documents mention this, but I found no sentence in them that answers it."
_READINGS: dict[Route, str] = {
    "knowledge": "a question about the documents",
    "extraction": "a document to extract fields from",
    "fraud": "a transaction to score",
    "unknown": "something else",
}
# What a reading becomes when its suggestion is sent as it stands.
_RESTATED: dict[Route, str] = {
    "knowledge": "Answer this question from the documents: {query}",
    "extraction": "Extract the fields of this document: {query}",
    "fraud": "Is this transaction fraud? {query}",
    "unknown": "{query}",
}
# Complete messages: each shows one route when it is sent as it stands.
_EXAMPLES = [
    "Is this fraud? Card-not-present payment of 950 EUR at 03:10, the customer usually spends 40 EUR",
    "Extract the fields: Corner Cafe, receipt of 3 May 2026, total 12.50 EUR, paid by card",
]


async def run(state: RoutedTurn) -> GraphState:
    """End the turn with an honest "I don't know"."""
    reason, suggestions, explanation = _why(state)
    near_miss = reason == "not_in_documents" and "reader" in explanation
    answer = _NEAR_MISS if near_miss else _REASONS.get(reason) or _ambiguous(state["decision"]["alternatives"])
    refusal = state.get("refusal") or {}
    emit("token", {"text": answer})
    return finish_turn(
        state,
        versions=refusal.get("versions", {}),
        usage=Usage(**refusal.get("usage", {})),
        route="unknown",
        answer=answer,
        abstained=True,
        reason=reason,
        suggestions=suggestions,
        cached=refusal.get("cached", False),
        explanation=explanation,
    )


def _why(state: RoutedTurn) -> tuple[str, list[str], dict[str, Any]]:
    if (refusal := state.get("refusal")) is not None:
        return refusal["reason"], [*refusal["suggestions"], *_EXAMPLES], refusal["explanation"]
    decision = state["decision"]
    if decision["ambiguous"]:
        query = state["query"]
        return "ambiguous", [_RESTATED[route].format(query=query) for route in decision["alternatives"]], {}
    return ("not_a_task" if state["query"].strip() else "empty"), _EXAMPLES, {}


def _ambiguous(readings: list[Route]) -> str:
    options = " or ".join(_READINGS[route] for route in readings)
    return f"I don't know which you mean: {options}? Please say which."
