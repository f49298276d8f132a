"""The "I don't know" node: says so, says why, offers what can be done. No model, no citation."""

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
    "not_a_task": "I don't know what to do with this. It is not a question, a document to read or a transaction.",
    "empty": "I don't know what you would like: the message holds no words.",
}
_READINGS: dict[Route, str] = {
    "knowledge": "Answer it as a question from the documents",
    "extraction": "Extract the fields of the document",
    "fraud": "Score it as a transaction",
    "unknown": "Something else",
}
_OFFERS = [
    "Ask a question about the documents, for example: How are disputes handled?",
    "Paste or attach a contract, invoice, receipt or dispute letter and say: Extract the fields",
    "Paste a transaction and say: Is this fraud?",
]


async def run(state: RoutedTurn) -> GraphState:
    """End the turn with an honest "I don't know"."""
    reason, suggestions, explanation = _why(state)
    answer = _REASONS.get(reason) or _ambiguous(suggestions)
    emit("token", {"text": answer})
    return finish_turn(
        state,
        versions={},
        usage=Usage(),
        route="unknown",
        answer=answer,
        abstained=True,
        reason=reason,
        suggestions=suggestions,
        explanation=explanation,
    )


def _why(state: RoutedTurn) -> tuple[str, list[str], dict[str, Any]]:
    if (refusal := state.get("refusal")) is not None:
        offers = refusal["suggestions"] + _OFFERS[1:] if refusal["suggestions"] else _OFFERS
        return refusal["reason"], offers, refusal["explanation"]
    decision = state["decision"]
    if decision["ambiguous"]:
        return "ambiguous", [_READINGS[route] for route in decision["alternatives"]], {}
    return ("not_a_task" if state["query"].strip() else "empty"), _OFFERS, {}


def _ambiguous(readings: list[str]) -> str:
    options = " or ".join(f'"{reading}"' for reading in readings)
    return f"I don't know which you mean: {options}? Please say which."
