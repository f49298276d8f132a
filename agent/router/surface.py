"""What a message looks like, apart from what it says: length, layout, numbers, question form."""

from __future__ import annotations

import math
import re

import numpy as np

from tools.ports import Vector

# The embedder's time grows with length: the head reads the beginning and the end, where an instruction stands.
_HEAD_CHARS = 300
_TAIL_CHARS = 140
_MEASURED_CHARS = 8000

_MONEY = re.compile(r"[$€£¥₹]\s?\d|\d\s?(?:[$€£¥₹]|(?:usd|eur|gbp|chf|inr|jpy|cad|aud|pln|sek|rm)\b)", re.IGNORECASE)
_KEY_VALUE = re.compile(r"^\s*[\"']?[\w .#/-]{1,40}[\"']?\s*[:=]\s*\S", re.MULTILINE)
_CLOCK = re.compile(r"\b\d{1,2}:\d{2}\b")
_DATE = re.compile(r"\b(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})\b")
_QUESTION_START = re.compile(
    r"^\W*(?:who|what|whats|when|where|which|why|how|hows|is|are|am|was|were|do|does|did|can|could|should|would|will"
    r"|may|must|has|have)\b",
    re.IGNORECASE,
)
_MASKED = re.compile(r"[*xX•]{2,}\s?-?\d{2,4}\b|\bacct\b|\bmcc\b", re.IGNORECASE)
_CENTS = re.compile(r"\d[.,]\d{2}\b")
_EXTRACT = re.compile(
    r"\b(?:extract\w*|parse|pull|grab|lift|capture|transcribe|tabulate|digiti[sz]e|scan|read (?:out|off|this|the)|fill"
    r"|json|csv|fields|schema|structured?|key-value)\b",
    re.IGNORECASE,
)
_JUDGE = re.compile(
    r"\b(?:fraud\w*|betrug|suspicious|legit\w*|genuine|scor(?:e|ing)|risky?|flag(?:ged)?|approve|assess\w*|alert"
    r"|verdict|screen|rate (?:this|it|that|from))\b",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"\b(?:sub-?total|total|vat|gst|tax|invoice|receipt|cash|change|qty|due|bill to|agreement|party|parties|hereby"
    r"|hereinafter|whereas|dear|sincerely|regards|faithfully|landlord|tenant|signed|no\.)(?!\w)",
    re.IGNORECASE,
)
_TRANSACTION = re.compile(
    r"\b(?:amount|amt|merchant|category|txn?|trans\w*|card|cardholder|customer|atm|pos|payee|payment|purchase)(?![a-z])",
    re.IGNORECASE,
)
_FETCH = re.compile(
    r"\b(?:get|give|list|take|need|collect|return|find|identify|pick|lift|note|convert|turn|transform|map|output)\b",
    re.IGNORECASE,
)
_NAMES_DOCUMENT = re.compile(
    r"\b(?:attach\w*|upload\w*|enclosed"
    r"|(?:this|these|the|my|from|of|in) (?:\w+ )?(?:file|pdf|scan|document|letter|form|bill|invoice|receipt|report"
    r"|contract|agreement|lease|deed|statement|confirmation|text|e-?mail|note|quote|certificate|waybill|lading|payslip|pass|page"
    r"|nda|following|below))\b",
    re.IGNORECASE,
)
# An instruction stands at one end of a message, not inside what was pasted.
_EDGE_CHARS = 120
_LONG_CHARS = 250

SURFACE_FEATURES = (
    "length",
    "lines",
    "digits",
    "braces",
    "money",
    "key_values",
    "clock",
    "date",
    "question_start",
    "question_end",
    "question_inside",
    "masked_account",
    "cents",
    "extract_words",
    "judge_words",
    "judged_money",
    "document_words",
    "transaction_words",
    "no_digits",
    "plain",
    "asks",
    "asks_after_text",
    "names_document",
    "fetches_from_document",
)


def view(text: str) -> str:
    """The part of a message that is embedded: all of a short one, beginning and end of a long one."""
    text = text.strip()
    if len(text) <= _HEAD_CHARS + _TAIL_CHARS:
        return text
    return f"{text[:_HEAD_CHARS]}\n...\n{text[-_TAIL_CHARS:]}"


def surface_features(text: str) -> Vector:
    """The `SURFACE_FEATURES` of a message, each between 0 and about 1, as a float32 array."""
    measured = text.strip()[:_MEASURED_CHARS]
    size = max(len(measured), 1)
    edges = f"{measured[:_EDGE_CHARS]} | {measured[-_EDGE_CHARS:]}"
    judged = bool(_JUDGE.search(edges))
    money = _count(_MONEY, measured, 4)
    cents = _count(_CENTS, measured, 6)
    extract = _count(_EXTRACT, edges, 2)
    names_document = bool(_NAMES_DOCUMENT.search(edges))
    starts = bool(_QUESTION_START.match(measured))
    asked = starts or measured.endswith("?")
    no_digits = not any(c.isdigit() for c in measured)
    values = (
        math.log1p(len(measured)) / math.log1p(_MEASURED_CHARS),
        math.log1p(measured.count("\n")) / 4,
        sum(c.isdigit() for c in measured) / size,
        float("{" in measured or "<" in measured),
        money,
        math.log1p(len(_KEY_VALUE.findall(measured))) / 3,
        float(bool(_CLOCK.search(measured))),
        float(bool(_DATE.search(measured))),
        float(starts),
        float(measured.endswith("?")),
        float("?" in measured),
        float(bool(_MASKED.search(measured))),
        cents,
        extract,
        float(judged),
        float(judged and max(money, cents) > 0),
        _count(_DOCUMENT, measured, 6),
        _count(_TRANSACTION, measured, 5),
        float(no_digits),
        float(no_digits and not judged and extract == 0 and "\n" not in measured),
        float(asked and not judged and extract == 0),
        float(measured.endswith("?") and len(measured) > _LONG_CHARS and not judged and extract == 0),
        float(names_document),
        float(names_document and bool(_FETCH.search(edges)) and not starts),
    )
    return np.array(values, dtype=np.float32)


def _count(pattern: re.Pattern[str], text: str, most: int) -> float:
    return min(len(pattern.findall(text)), most) / most
