"""Postal addresses, countries and cities."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.extraction.readers.dates import MONTHS, dates
from tools.extraction.readers.misread import misreadable
from tools.extraction.readers.names import FORM
from tools.extraction.readers.source import Candidate, Line, Source

_ADDRESS_CUE = re.compile(
    r"\b(?:street|road|rd|avenue|ave|lane|drive|blvd|boulevard|square|suite|floor|building|unit|plaza|mall|"
    r"p\.?o\.? box|highway|way|court|quay|row|close|terrace|wharf|harbour|hill|gate|crescent|"
    r"jalan|jln|lot|taman|tmn|lorong|bandar|kampung|kg|persiaran|straße|strasse|platz|rue|calle|via|piazza|rua|gata|weg|laan|straat|st|avenida|avda|paseo|praça|corso|viale|ulica)\b|"
    r"\b[A-Za-z]+(?:straße|strasse|straat|weg|gata|gatan|vej|gasse|allee)\b|\bno\.?\s?\d",
    re.IGNORECASE,
)
_WEAK_CUE = re.compile(
    r"\b(?:lane|gate|row|unit|floor|suite|close|way|hill|court|square|lot|no\.?)\s*:?\s?(?:[A-Z]?\d+[A-Z]?\b|of\b|to\b|in\b)|"
    r"\b(?:any|guests?|per|each|every|this|the|your)\s+(?:unit|suite|floor|lane|way|close|row|gate)\b|\b(?:suite|unit)\s+guests?\b",
    re.IGNORECASE,
)
"""Words of addresses that stand as often for a till's lane, a seat's row or nothing of the kind."""
_POSTCODE = re.compile(
    r"\b\d{5}(?:-\d{4})?\b|\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b|\b\d{4}\s?[A-Z]{2}\b|\b[A-Z]\d[A-Z]\s?\d[A-Z]\d\b|\b\d{4}\s[A-Z][a-z]+"
)
_MISREAD_STOP = re.compile(misreadable(r"counterfoil|voucher|invoice|receipt|\bticket|purchase"), re.IGNORECASE)
_STOP = re.compile(
    r"\btel\b|phone|\bfax\b|gst|company no|co\. reg|reg(?:istration)? no|shopping|hours|open daily|\bvat\b|e-?mail|"
    r"counterfoil|voucher|\bslip\b|\bticket\b|\bpurchase\b|\bsale\b|\bapproved\b|\bverified\b|\bprinted\b|"
    r"invoice|receipt|\bdate\b|www\.|https?:|@|cashier|thank|\bbill\b|\breg\b|\btax\b|order|hotline|\btotal\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"\s*(?!(?i:lot|no|unit|level|floor|suite|block|blk|house)\b)[A-Z][A-Za-z]+(?: [A-Za-z]+){0,2}\s*:\s+(?=\d|[A-Z])"
)
_FORMED = re.compile(rf"(?:^|[\s,])(?:{FORM})\.?$")
"""A company with its legal form is no address, whatever it is called."""
_DEEPEST = 8
_COLUMNS = re.compile(r"(?<=\S)(?:[ \u00a0]{3,}|\t)(?=\S)")
_COUNTRIES = (
    "Argentina Australia Austria Belgium Brazil Bulgaria Canada Chile China Colombia Croatia Cyprus Denmark Egypt "
    "England Estonia Finland France "
    "Germany Ghana Greece Hungary Iceland India Indonesia Ireland Israel Italy Japan Kenya Latvia Lithuania "
    "Luxembourg Malaysia Malta Mexico Morocco "
    "Netherlands Nigeria Norway Pakistan Peru Philippines Poland Portugal Romania Russia Scotland Serbia Singapore "
    "Slovakia Slovenia Spain Sweden "
    "Switzerland Taiwan Thailand Tunisia Turkey Ukraine Vietnam Wales"
).split()
_LONG_COUNTRIES = (
    "United States of America|United States|United Kingdom|United Arab Emirates|Czech Republic|Hong Kong|South Korea|"
    "South Africa|Saudi Arabia|New Zealand|Costa Rica|Sri Lanka|Deutschland|Österreich|USA|UAE"
)
_COUNTRY = re.compile(rf"\b(?:{_LONG_COUNTRIES}|{'|'.join(_COUNTRIES)})\b")
_CITY_BEFORE = re.compile(rf",[ ](?P<city>[A-ZÀ-Þ][\w'’-]+(?:[ ][A-ZÀ-Þ][\w'’-]+){{0,2}}),[ ](?={_COUNTRY.pattern})")
_CITY_IN = re.compile(r"\b[Ii]n\s+(?P<city>[A-ZÀ-Þ][\w'’-]+(?:[ ][A-ZÀ-Þ][\w'’-]+){0,2})(?P<country>,\s*[A-Z])?")


def _cell(source: Source, number: int, *, first: bool) -> Line:
    """The first column of a line, without a label before it; nothing of one that has a date, as no address does."""
    line = source.lines[number]
    lead = _LEAD.match(line.text) if first else None
    start = lead.end() if lead else len(line.text) - len(line.text.lstrip())
    gap = _COLUMNS.search(line.text, start)
    end = gap.start() if gap else len(line.text.rstrip())
    if any(line.start + start <= day.start < line.start + end for day in source.read(dates)):
        end = start
    return Line(line.start + start, line.start + end, line.text[start:end])


def _is_part(line: Line, first: bool) -> bool:
    text = line.text.strip()
    if (
        not text
        or len(text) > 110
        or _STOP.search(text)
        or _MISREAD_STOP.search(text)
        or not re.search(r"[A-Za-z]{2}", text)
    ):
        return False
    if re.search(r"\d+[.,]\d\d\s*$", text):
        return False
    if text.count(":") > 1 or (first and _FORMED.search(text)):
        return False
    strong = bool(_ADDRESS_CUE.search(text)) or bool(_POSTCODE.search(text))
    if first and _is_sentence(text):
        return False
    if first:
        return strong and (any(char.isdigit() for char in text) or "," in text)
    return (
        strong
        or text.endswith((",", "."))
        or "," in text
        or (len(text) < 30 and text.replace(".", "").replace(" ", "").isalpha())
    )


def _is_weak(text: str) -> bool:
    """Nothing in it but a number beside one of the `_WEAK_CUE`s speaks for an address, or it is made of such pairs."""
    if re.fullmatch(r"(?:\W*[A-Za-z]+\s\d+\b)+\W*", text):
        return True
    return "," not in text and not _POSTCODE.search(text) and not _ADDRESS_CUE.search(_WEAK_CUE.sub(" ", text))


def _goes_on(source: Source, number: int) -> bool:
    """The next line is surely a part of an address."""
    if number + 1 >= len(source.lines):
        return False
    line = _cell(source, number + 1, first=False)
    return _is_part(line, first=True) and not _is_weak(line.text)


def _is_sentence(text: str) -> bool:
    """Most words are small: a sentence that has a word of addresses in it."""
    words = re.findall(r"[^\W\d_]+", text)
    return sum(word.islower() and len(word) > 1 for word in words) > len(words) / 2


def addresses(source: Source) -> Sequence[Candidate]:
    """Runs of up to five lines that read like a postal address, joined by spaces."""
    found: list[Candidate] = []
    index = 0
    while index < len(source.lines):
        line = _cell(source, index, first=True)
        if not _is_part(line, first=True) or (_is_weak(line.text) and not _goes_on(source, index)):
            index += 1
            continue
        last = index
        while (
            last + 1 < len(source.lines)
            and last - index < 5
            and _is_part(_cell(source, last + 1, first=False), first=False)
        ):
            if (
                not source.lines[last].text.rstrip().endswith((",", "&"))
                and _POSTCODE.search(source.lines[last].text)
                and not (
                    _POSTCODE.search(source.lines[last + 1].text)
                    or "," in source.lines[last + 1].text
                    or _short(source.lines[last + 1])
                )
            ):
                break
            last += 1
        start = line.start
        end = line.end if last == index else _cell(source, last, first=False).end
        value = " ".join(source.text[start:end].split())
        coded = 0.2 if _POSTCODE.search(value) else 0.0
        found.append(Candidate(value, start, end, max(0.15, 0.45 + coded - 0.03 * min(index, _DEEPEST))))
        index = last + 1
    return found


def _short(line: Line) -> bool:
    words = line.text.strip(" .").split()
    return 1 <= len(words) <= 3 and all(word.isalpha() for word in words)


def countries(source: Source) -> Sequence[Candidate]:
    """Names of countries; surer after a city and a comma."""
    return [
        Candidate(
            m.group(), m.start(), m.end(), 0.62 if source.text[max(0, m.start() - 2) : m.start()] == ", " else 0.45
        )
        for m in _COUNTRY.finditer(source.text)
    ]


def cities(source: Source) -> Sequence[Candidate]:
    """Capitalised places after "in" that are neither countries nor months, surer where a country follows, and what
    stands between commas before a country."""
    between = [
        Candidate(m["city"], m.start("city"), m.end("city"), 0.6)
        for m in _CITY_BEFORE.finditer(source.text)
        if not _COUNTRY.fullmatch(m["city"])
    ]
    return between + [
        Candidate(m["city"], m.start("city"), m.end("city"), 0.64 if m["country"] else 0.45)
        for m in _CITY_IN.finditer(source.text)
        if not _COUNTRY.fullmatch(m["city"]) and m["city"].split()[0].lower() not in MONTHS
    ]
