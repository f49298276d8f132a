"""Durations such as "thirty (30) days" or "3 years", read to `N unit`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.extraction.readers.source import Candidate, Source

_ONES = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_WORDS = {word: number for number, word in enumerate(_ONES.split(), 1)} | _TENS | {"a": 1, "an": 1, "hundred": 100}
_NUMBER = (
    rf"(?:(?:{'|'.join(_TENS)})[-\s](?:one|two|three|four|five|six|seven|eight|nine)|"
    rf"{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
)
_DURATION = re.compile(
    rf"\b(?:(?P<words>{_NUMBER})[\s-]*)?\(?(?P<digits>(?<!\d)\d{{1,4}}(?!\d))?\)?[\s-]*(?P<business>business\s+|calendar\s+|working\s+)?"
    r"(?P<unit>day|week|month|year|hour|minute)(?:s|'s|s'|s’)?\b",
    re.IGNORECASE,
)


def _count(words: str | None, digits: str | None) -> int | None:
    if digits:
        return int(digits)
    if not words:
        return None
    return sum(_WORDS[part] for part in re.split(r"[-\s]+", words.lower()) if part)


def durations(source: Source) -> Sequence[Candidate]:
    """Durations as `N days`, `1 year`, `5 business days`."""
    found: list[Candidate] = []
    for match in _DURATION.finditer(source.text):
        count = _count(match["words"], match["digits"])
        if count is None:
            continue
        kind = (match["business"] or "").strip().lower()
        unit = match["unit"].lower() + ("" if count == 1 else "s")
        value = " ".join(part for part in (str(count), kind if kind != "calendar" else "", unit) if part)
        found.append(
            Candidate(value, match.start() + (len(match.group()) - len(match.group().lstrip("( "))), match.end())
        )
    return found
