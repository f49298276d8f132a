"""Pick a built-in schema from the user's words and the document: a heuristic, no model.

The user's own words decide when they name one kind of document; else what the document looks like, and a winner needs
a lead. Anything less is unclear, so that the caller can ask back. Words inside a pasted document are not the user's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple, cast

import yaml

from tools.extraction.kinds import affinity

_NAMED: Mapping[str, str] = {
    "contract": r"contracts?|agreements?|nda|lease|msa",
    "invoice": r"invoices?|bills?|rechnung|facture",
    "receipt": r"receipts?|till slip|cash slip",
    "dispute_letter": r"dispute(?:s| letters?)?|complaint letters?|chargeback letters?|letters?",
    "transaction": r"transactions?|card payments?|payment records?|authori[sz]ations?",
}
THRESHOLDS_FILE = "choice.yaml"
_ALL_REQUEST_CHARS = 200
_MOST_INSTRUCTION_CHARS = 240
_MOST_BRACES = 20
_FENCE = re.compile(r"```(?:json)?[ \t]*\n?\s*```|```(?:json)?[ \t]*$", re.IGNORECASE)
_ASKS = re.compile(
    r"\b(?:extract\w*|read|parse|pull|get|give|grab|list|find|fill|turn|convert|transcribe|what|which|show|tell|please|need|"
    r"fields?|json|data|values?|details|here(?:'s| is)|this is|following|below|attached|lies?|lesen|extrahier\w*"
    r"|extrai\w*)\b",
    re.IGNORECASE,
)


_RUNS_ON = re.compile(
    r"\W*(?:please\s+|(?:can|could|would)\s+you\s+(?:please\s+)?)?"
    r"(?:extract|read|parse|pull|get|give|grab|list|fill|turn|convert|transcribe)\b[^:\n]{0,120}:[ \t]+(?=\S)",
    re.IGNORECASE,
)


class Thresholds(NamedTuple):
    """From when on a text is of the kind that it looks most like."""

    enough: float
    """It looks this much like it."""
    lead: float
    """And this much more than like the second."""

    def winner(self, looks: Mapping[str, float]) -> str | None:
        """The kind that the text is of; `None` when that is unclear."""
        ranked = sorted(looks.items(), key=lambda item: -item[1])
        (best, score), (_, second) = ranked[0], ranked[1]
        return best if score >= self.enough and score - second >= self.lead else None


@cache
def thresholds() -> Thresholds:
    """The thresholds in use; `python -m eval.extraction.fit_choice` fits them."""
    text = resources.files("tools.extraction").joinpath(THRESHOLDS_FILE).read_text(encoding="utf-8")
    return Thresholds(**yaml.safe_load(text))


class Request(NamedTuple):
    """A message in its two parts."""

    words: str
    """What the user says."""
    document: str
    """The document pasted with it; the whole message where it is hard to tell."""


def split_request(message: str) -> Request:
    """The instruction at one end of a message and the document at the other; a short message of one line is both."""
    text = message.strip()
    lines = text.split("\n")
    if len(lines) == 1:
        return Request(text if len(text) <= _ALL_REQUEST_CHARS else _leading_sentence(text), text)
    if _instructs(lines[0]):
        return Request(lines[0], "\n".join(lines[1:]))
    if _instructs(lines[-1]):
        return Request(lines[-1], "\n".join(lines[:-1]))
    return Request("", text)


def document_of(message: str) -> str:
    """A message without an order that runs on into the document on its first line: `Extract this receipt: ACME ...`."""
    order = _RUNS_ON.match(message)
    return message[order.end() :] if order else message


def _leading_sentence(text: str) -> str:
    """An instruction that runs on into the document, up to its colon."""
    head, colon, _ = text[:_MOST_INSTRUCTION_CHARS].partition(":")
    return head if colon and _ASKS.search(head) else ""


def _instructs(line: str) -> bool:
    return len(line) <= _MOST_INSTRUCTION_CHARS and _ASKS.search(line) is not None and len(line.split()) > 1


def choose_schema(document: str, words: str = "") -> str | None:
    """The built-in schema that the user's words name or the document looks like; `None` when that is unclear."""
    named = [name for name, pattern in _NAMED.items() if re.search(rf"\b(?:{pattern})\b", words, re.IGNORECASE)]
    if len(named) == 1:
        return named[0]
    looks = affinity(document)
    return thresholds().winner({name: score for name, score in looks.items() if not named or name in named})


def schema_of_message(message: str, attached: str | None = None) -> str | None:
    """The schema for a message with a document attached, or else pasted into it."""
    if attached is not None:
        return choose_schema(attached, message)
    request = split_request(message)
    return choose_schema(request.document, request.words)


class PastedSchema(NamedTuple):
    """A JSON Schema that stands in a message, and the message without it."""

    schema: Mapping[str, Any]
    rest: str


def pasted_schema(message: str) -> PastedSchema | None:
    """The first JSON object of a message that has `properties` and is of type `object` or names its `$schema`."""
    decoder = json.JSONDecoder()
    start = message.find("{")
    for _ in range(_MOST_BRACES):
        if start < 0:
            break
        try:
            found, end = cast("tuple[Mapping[str, Any], int]", decoder.raw_decode(message, start))
        except (ValueError, RecursionError):
            end = start + 1
        else:
            if "properties" in found and (found.get("type") == "object" or "$schema" in found):
                rest = _FENCE.sub("", f"{message[:start].rstrip()}\n{message[end:].lstrip()}")
                return PastedSchema(found, rest.strip())
        start = message.find("{", end)
    return None
