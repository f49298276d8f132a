"""What a message looks like, apart from what it says: length, layout, numbers, question form."""

from __future__ import annotations

import math
import re

import numpy as np

from tools.ports import Vector

# The embedder's time grows with length: the head reads the beginning and the end, where an instruction stands.
_HEAD_CHARS = 420
_TAIL_CHARS = 160
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
    values = (
        math.log1p(len(measured)) / math.log1p(_MEASURED_CHARS),
        math.log1p(measured.count("\n")) / 4,
        sum(c.isdigit() for c in measured) / size,
        float("{" in measured or "<" in measured),
        min(len(_MONEY.findall(measured)), 4) / 4,
        math.log1p(len(_KEY_VALUE.findall(measured))) / 3,
        float(bool(_CLOCK.search(measured))),
        float(bool(_DATE.search(measured))),
        float(bool(_QUESTION_START.match(measured))),
        float(measured.endswith("?")),
        float("?" in measured),
        float(bool(_MASKED.search(measured))),
    )
    return np.array(values, dtype=np.float32)
