"""A transaction out of free text, and how much a text looks like one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.errors import InputError
from tools.fraud.errors import MissingFieldsError
from tools.fraud.prose import MAX_CHARS, read_prose
from tools.fraud.structured import find_records, known_names
from tools.fraud.transaction import Transaction, read_transaction

_COUNTERPARTY = frozenset({"merchant", "merchant_category", "channel"})
_CONTEXT = frozenset(
    "time date city country customer_usual_amount distance_from_last_km minutes_since_last count_1h count_24h count_7d "
    "first_time_merchant first_time_category card_age_days transaction_code customer_home_country timestamp".split()
)
_QUESTION = re.compile(
    r"^\W*(?:(?:and|but|so)\s+)?(?:what|which|who|when|where|why|how|can|could|may|do|does|did|is|are|was|were|should"
    r"|shall|must|will|would|if|explain|define|tell me|describe|list|summari[sz]e)\b",
    re.IGNORECASE,
)
_JUDGE = re.compile(
    r"\b(?:fraud(?:ulent)?|suspicious|legit(?:imate)?|genuine|risky|risk score|score|block|decline|approve|flag|assess"
    r"|screen)\b",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"\b(?:policy|policies|rules?|limits?|maximum|minimum|threshold|exceed(?:s|ing)?|up to|must|shall|procedure"
    r"|required|allowed|permitted|fees?|how (?:much|many|long|do)"
    r"|(?:above|below|over|under) (?:[A-Z]{3} |[€$£])?\d)",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"\b(?:invoice|contract|agreement|receipt|subtotal|vat|tax|iban|due date|bill to|line items?|purchase order|dear"
    r"|sincerely|regards|hereby|clause|party|parties|extract|json schema|summari[sz]e|structured (?:data|fields)"
    r"|(?:as|into) (?:clean )?(?:json|fields|a table))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TransactionEvidence:
    """How much a text looks like one transaction to score (0 to 1), and the fields that were understood."""

    score: float
    found: tuple[str, ...]
    several: bool = False


def parse_transaction(text: str) -> Transaction | None:
    """Read the one transaction in a text: JSON, CSV, "key: value" lines or prose. None when nothing of one is there.

    Raises MissingFieldsError when essentials lack, FieldsError when values cannot be true, and InputError
    `several_transactions` when there are several.
    """
    records = find_records(text)
    if len(records) > 1:
        raise InputError(
            f"There are {len(records)} transactions here. Send one at a time, or all of them to bulk scoring.",
            code="several_transactions",
            count=len(records),
        )
    facts = _facts(text, records)
    return read_transaction(facts) if facts else None


def require_transaction(text: str) -> Transaction:
    """As `parse_transaction`, but a text without any transaction raises MissingFieldsError too."""
    transaction = parse_transaction(text)
    if transaction is None:
        raise MissingFieldsError(["amount", "merchant"])
    return transaction


def looks_like_transaction(text: str) -> TransactionEvidence:
    """Weigh the facts understood against signs of a question, a rule or a document. Never raises."""
    records = find_records(text)
    if records:
        names = known_names(records[0])
        sure = 0.95 if "amount" in names and names & _COUNTERPARTY else 0.5
        return TransactionEvidence(_doubted(sure, text), tuple(sorted(names)), len(records) > 1)
    stated = _without_questions(text[:MAX_CHARS])
    names = set(read_prose(stated))
    strength = 0.4 * ("amount" in names) + 0.2 * bool(names & _COUNTERPARTY) + 0.12 * len(names & _CONTEXT)
    if "amount" not in names:
        strength = min(strength, 0.4)
    if _JUDGE.search(text) and names:
        strength += 0.15
    if _RULE.search(stated):
        strength *= 0.5
    return TransactionEvidence(_doubted(min(1.0, strength), text), tuple(sorted(names)))


def _facts(text: str, records: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The record's own facts; what stands around a record is read only where the record lacks the essentials."""
    prose: dict[str, Any] = dict(read_prose(text))
    if not records:
        return prose
    record, names = records[0], known_names(records[0])
    if "amount" in names and names & _COUNTERPARTY:
        return dict(record)
    return {**{name: value for name, value in prose.items() if name not in names}, **record}


def _without_questions(text: str) -> str:
    """The sentences that state something, or that ask for a judgement of a transaction."""
    sentences = re.split(r"(?<=[!?])\s+|(?<=[a-z0-9]\.)\s+(?=[A-Z])|\n+", text)
    return "\n".join(sentence for sentence in sentences if not _is_policy_question(sentence))


def _is_policy_question(sentence: str) -> bool:
    asks = bool(_QUESTION.search(sentence)) or sentence.rstrip().endswith("?")
    return asks and (not _JUDGE.search(sentence) or bool(_RULE.search(sentence)))


def _doubted(score: float, text: str) -> float:
    """Halve the score for each two words of another kind of document."""
    words = {match[0].lower() for match in _DOCUMENT.finditer(text[:MAX_CHARS])}
    return round(score * 0.5 ** (len(words) / 2), 3)
