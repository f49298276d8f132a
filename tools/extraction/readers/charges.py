"""When a disputed payment was made and how much it was, told from the other dates and amounts of a letter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tools.extraction.readers.amounts import amounts
from tools.extraction.readers.dates import dates
from tools.extraction.readers.source import Candidate, Source

_PAID = re.compile(
    r"charg|transaction|purchas|payment|\bpaid\b|\bcash\b|\bATM\b|take\s+out|debit|bought|withdr|\btook\b|\btaken\b|spent|\border|\bbill|\bbook(?:ed|ing)|deduct|transfer",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"\b(?:wrote|written|called|rang|spoke|phoned|telephon\w+|inform(?:ed)?|contact(?:ed)?|report(?:ed)?|complain(?:ed)?|since|letter\s+(?:of|dated)|"
    r"limit|balance|correct|in\s+order|fees?|refund(?:ed)?\s+(?:me\s+)?on|credited|cancell?ed\s+on|born|opened|moved|salary|"
    r"other\s+(?:payment|purchase|charge|transaction)|another|earlier\s+(?:payment|purchase|charge))\b",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[.!?]\s|\n\s*\n|\f|\n(?=\S[^\n]{0,40}:)")
_SENTENCE_CHARS = 260
_CUE, _STEP = 0.82, 0.03


def charge_dates(source: Source) -> Sequence[Candidate]:
    """Dates in sentences about a payment, the first one surest."""
    return _in_sentences(source, source.read(dates))


def charge_amounts(source: Source) -> Sequence[Candidate]:
    """Amounts in sentences about a payment, the first one surest."""
    return _in_sentences(source, source.read(amounts))


def _in_sentences(source: Source, candidates: Sequence[Candidate]) -> list[Candidate]:
    found: list[Candidate] = []
    for one in candidates:
        text = source.flowed
        before = _BREAK.split(text[max(0, one.start - _SENTENCE_CHARS) : one.start])[-1]
        after = _BREAK.split(text[one.end : one.end + _SENTENCE_CHARS])[0]
        if _PAID.search(before + after) and not _OTHERWISE.search(before + after):
            found.append(replace(one, cue=max(0.4, _CUE - _STEP * len(found))))
    return found
