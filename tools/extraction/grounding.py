"""Locate a value in the text it is said to come from: exactly, then normalised, then approximately within a bound."""

from __future__ import annotations

import re
import unicodedata

from rapidfuzz import fuzz

from tools.extraction.results import Evidence

FUZZY_MIN_SIMILARITY = 92.0
_FUZZY_MIN_CHARS = 8
_FUZZY_MAX_TEXT = 100_000
_TYPOGRAPHY = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " ", "\u202f": " ", "\u00ad": " "}
)


def evidence(text: str, start: int, end: int) -> Evidence:
    """The evidence of a span."""
    return Evidence(start, end, text[start:end])


def locate(text: str, value: str, start: int = 0, end: int | None = None) -> Evidence | None:
    """Where `value` stands in `text[start:end]`, or `None`.

    A value that differs only in case, white space or typography is found; one with small errors is found when its
    similarity is at least `FUZZY_MIN_SIMILARITY` (0..100). The quote is always the text's own wording.
    """
    value = value.strip()
    if not re.search(r"\w", value):
        return None
    stop = len(text) if end is None else end
    return _exact(text, value, start, stop) or _normalised(text, value, start, stop) or _fuzzy(text, value, start, stop)


def _bounded(text: str, start: int, end: int) -> bool:
    """The span does not begin or end inside a word or number."""
    opens = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    closes = end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())
    return opens and closes


def _exact(text: str, value: str, start: int, end: int) -> Evidence | None:
    found = text.find(value, start, end)
    while found >= 0:
        if _bounded(text, found, found + len(value)):
            return evidence(text, found, found + len(value))
        found = text.find(value, found + 1, end)
    return None


def _normalised(text: str, value: str, start: int, end: int) -> Evidence | None:
    words = unicodedata.normalize("NFC", value.translate(_TYPOGRAPHY)).split()
    pattern = re.compile(r"\s{1,20}".join(map(re.escape, words)), re.IGNORECASE)
    # One character stands for one: offsets in the translated text are offsets in the text.
    for match in pattern.finditer(text.translate(_TYPOGRAPHY), start, end):
        if _bounded(text, match.start(), match.end()):
            return evidence(text, match.start(), match.end())
    return None


def _fuzzy(text: str, value: str, start: int, end: int) -> Evidence | None:
    if len(value) < _FUZZY_MIN_CHARS or end - start > _FUZZY_MAX_TEXT or len(value) > end - start:
        return None
    # A wrong digit is another number: only wording may differ.
    aligned = fuzz.partial_ratio_alignment(value.lower(), text[start:end].lower(), score_cutoff=FUZZY_MIN_SIMILARITY)
    if aligned is None or aligned.dest_end <= aligned.dest_start:
        return None
    left, right = start + aligned.dest_start, start + aligned.dest_end
    while left > start and text[left - 1].isalnum() and text[left].isalnum():
        left -= 1
    while right < end and text[right - 1].isalnum() and text[right].isalnum():
        right += 1
    quote = text[left:right]
    stripped = quote.strip()
    left += quote.index(stripped) if stripped else 0
    if re.findall(r"\d+", stripped) != re.findall(r"\d+", value):
        return None
    return evidence(text, left, left + len(stripped)) if stripped else None
