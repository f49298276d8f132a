"""Pick a built-in schema from the user's words and the document: a heuristic, no model.

The user's own words decide when they name one kind of document; else the document's features are counted, and a
winner needs a lead. Anything less is unclear, so that the caller can ask back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMED: Mapping[str, str] = {
    "contract": r"contracts?|agreements?|nda|lease|msa",
    "invoice": r"invoices?|bills?|rechnung|facture",
    "receipt": r"receipts?|till slip|cash slip",
    "dispute_letter": r"dispute(?:s| letters?)?|complaint letters?|chargeback letters?|letters?",
    "transaction": r"transactions?|card payments?|payment records?|authori[sz]ations?",
}
_FEATURES: Mapping[str, Mapping[str, float]] = {
    "contract": {
        r"\bagreement\b|\bcontract\b": 1, r"governed by|governing law|laws of": 2,
        r"hereinafter|hereto|herein|hereby|hereof": 2, r"\bparties\b|\bparty\b": 1,
        r"terminat(?:e|ion)": 1, r"effective (?:date|as of)": 1, r"liabilit": 1, r"in witness whereof|confidential": 1,
        r"\(\s*(?:the\s+)?[\"“]": 1,
    },
    "invoice": {
        r"\binvoice\s*(?:no|number|#|nr|date|total)": 3, r"\binvoice\b|\brechnung\b|\bfacture\b": 2,
        r"bill(?:ed)? to|sold to": 2, r"due date|payment due|pay by|payable by|net \d\d": 2,
        r"\biban\b": 1, r"sub-?\s?total": 1, r"\bvat\b|\btax\b": 0.5, r"unit price": 1, r"remit|purchase order": 1,
    },
    "receipt": {
        r"\breceipt\b": 2, r"cashier|\btill\b|\bpos\b": 2, r"\bchange\b(?: due)?\W+\S*\d": 2,
        r"\bcash\b|\bvisa\b|mastercard|tendered": 1, r"thank you": 1,
        r"\btotal\b": 1, r"\bqty\b|\bgst\b|\bvat\b": 0.5, r"\bround(?:ing|ed)\b": 1,
        r"goods sold|come again|refund policy|returnable|\bexchange": 1,
        r"(?:^.*\d[.,]\d\d[ \t]*\n(?:.*\n)?){2}": 1, r"\b(?:tel|phone)\b": 0.5,
        r"\b(?:table|server|clerk|bill|item)\b": 0.5,
        r"\d\d:\d\d": 0.5, r"\b(?:gst|vat|tax|reg)\.? (?:id|no|reg)\b": 0.5,
    },
    "dispute_letter": {
        r"\bdear\b|to whom it may concern": 2, r"sincerely|regards|faithfully|best wishes": 2, r"\bdisput": 2,
        r"unauthori[sz]ed|charged? (?:me )?twice|double charge|did not (?:make|authori[sz]e|receive)|recogni[sz]e": 2,
        r"\bi\b.{0,40}\b(?:refund|chargeback|reverse)": 1, r"\b(?:card|last four)\b.{0,40}\d{4}": 1,
        r"\bi (?:have|did|was|filled|bought|paid|ordered|never|cancel)": 1, r"\bmy (?:card|account|statement|money)": 1,
        r"\b(?:refund|money back|chargeback|reimburse|reverse)\b": 1,
        r"\b(?:i|we)\b.{0,60}\b(?:charge|payment|purchase|debit)": 1,
    },
    "transaction": {
        r"transaction[ _]?id|txn[ _]?id|\btrn\b": 3, r"\bmerchant\b": 1.5, r"\bmcc\b|merchant[ _]category": 2,
        r"\bchannel\b|entry mode|card[- ]not[- ]present": 1.5,
        r"customer[ _]?id|cardholder": 1, r"timestamp": 2, r"\bamount\b": 0.5, r"^\s*\{": 1,
        r"\b(?:payment|purchase|card)\b": 1, r"\b(?:paid|charged|booked|declined|used at)\b": 1,
        r"\b(?:transaction|payment|customer)\b.{0,20}\b(?:id|no|number|reference|advice)\b": 1,
    },
}  # fmt: skip
_ENOUGH = 4.0
_LEAD = 1.5
_READ_CHARS = 20_000


def affinity(text: str) -> Mapping[str, float]:
    """How much a text looks like each built-in kind of document: the sum of the weights of the features it shows."""
    head = text[:_READ_CHARS]
    return {
        name: sum(
            weight for pattern, weight in features.items() if re.search(pattern, head, re.IGNORECASE | re.MULTILINE)
        )
        for name, features in _FEATURES.items()
    }


def choose_schema(text: str, request: str = "") -> str | None:
    """The built-in schema that the request names or the text looks like; `None` when that is unclear."""
    named = [name for name, words in _NAMED.items() if re.search(rf"\b(?:{words})\b", request, re.IGNORECASE)]
    if len(named) == 1:
        return named[0]
    scores = {name: score for name, score in affinity(text).items() if not named or name in named}
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    (best, score), (_, second) = ranked[0], ranked[1]
    return best if score >= _ENOUGH and score - second >= _LEAD else None
