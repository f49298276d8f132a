"""Dates and times in many notations, read to ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from tools.extraction.readers.source import Candidate, Source

_MONTH_NAMES = (
    "january januar janvier enero gennaio janeiro januari stycznia",
    "february februar février fevrier febrero febbraio fevereiro februari lutego",
    "march märz maerz mars marzo março marco maart marts marca",
    "april avril abril aprile kwietnia",
    "may mai mayo maggio maio mei maj maja",
    "june juni juin junio giugno junho czerwca",
    "july juli juillet julio luglio julho lipca",
    "august août aout agosto augustus augusti sierpnia",
    "september septembre septiembre settembre setembro sept września",
    "october oktober octobre octubre ottobre outubro października",
    "november novembre noviembre novembro listopada",
    "december dezember décembre decembre diciembre dicembre dezembro grudnia",
)
_ABBREVIATIONS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_EXTRA_ABBREVIATIONS = {"mär": 3, "avr": 4, "abr": 4, "mai": 5, "okt": 10, "dez": 12, "dic": 12, "ene": 1, "ago": 8}
MONTHS: dict[str, int] = (
    {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
    | {name: number for number, name in enumerate(_ABBREVIATIONS, 1)}
    | _EXTRA_ABBREVIATIONS
)
_MONTH = "(?P<month>" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")(?![^\W\d_])\.?"
_END = r"(?=\D|$|\d{1,2}:\d\d)"

_DIGIT = r"[\dOo]"
"""A digit, or the letter that is read for a nought."""
_ISO = re.compile(rf"(?<!\d)(?P<year>\d{{4}})(?P<sep>[-/.])\s?(?P<m>\d{{1,2}})(?P=sep)\s?(?P<d>\d{{1,2}}){_END}")
_NUMERIC = re.compile(
    rf"(?<![\d_/.-])(?<!\b[A-Za-z])(?P<a>{_DIGIT}{{1,2}})(?P<sep>\s?[-/.]\s?)(?P<b>{_DIGIT}{{1,2}})(?P=sep)"
    rf"(?P<year>\d\d(?=\d\d:\d\d)|[12]{_DIGIT}\d{_DIGIT}|\d\d){_END}"
)
_SPACED = re.compile(r"(?<![\w/.-])(?P<d>\d\d) (?P<m>\d\d) (?P<year>20\d\d)(?=\s+\d{1,2}:\d\d)")
"""Day, month and year with blanks between are a date only before a time of day."""
_COMPACT = re.compile(r"(?<![\w.-])(?P<year>20[0-4]\d)(?P<m>0[1-9]|1[0-2])(?P<d>[0-3]\d)(?![\d.]|[A-SU-Za-z_])")
_COMPACT_DAY_FIRST = re.compile(r"(?<![\w.-])(?P<d>[0-3]\d)(?P<m>0[1-9]|1[0-2])(?P<year>20[0-4]\d)(?![\w.])")
_DAY_MONTH = re.compile(
    rf"(?<!\d)(?P<d>\d{{1,2}})\s?(?:st|nd|rd|th|\.|º)?(?:\s+day)?[\s/-]{{0,3}}(?:of\s+|de\s+)?{_MONTH}[\s,/-]{{0,3}}(?:de\s+)?"
    rf"(?P<year>\d{{4}}|'?\d\d(?!,?\s\d{{4}})){_END}",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"\b{_MONTH}[\s-]{{0,2}}(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s,-]{{1,3}}(?P<year>\d{{4}}|'?\d\d(?![\d:.,/])){_END}",
    re.IGNORECASE,
)
_YEAR_MONTH_DAY = re.compile(
    rf"(?<!\d)(?P<year>\d{{4}})[\s/.-]{{1,2}}{_MONTH}[\s/,-]{{1,2}}(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)",
    re.IGNORECASE,
)
_WEEKDAYS: Sequence[str] = "mon tue wed thu fri sat sun".split()
_WEEKDAY = re.compile(rf"\b({'|'.join(_WEEKDAYS)})(?:s|nes|rs|ur)?(?:day)?\b", re.IGNORECASE)
_WEEKDAY_REACH = 13
_TIME = r"(?P<h>[01]?\d|2[0-3])[:.](?P<min>[0-5]\d)(?:[:.](?P<s>[0-5]\d))?(?:\.\d+)?(?:\s?(?P<half>[ap]\.?m\b\.?))?"
_TIME_AFTER = re.compile(
    rf"[\s,T]{{0,3}}(?:at\s+|@\s*|-\s)?\s?\(?{_TIME}(?P<zone>Z\b|\s?[+-]\d\d:?\d\d\b|\s?UTC\b|\s?GMT\b)?", re.IGNORECASE
)
_TIME_BEFORE = re.compile(rf"(?<![\d:]){_TIME}\s?(?:UTC|GMT)?,?\s+(?:on\s+)?(?:the\s+)?$", re.IGNORECASE)
_STATES = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK "
    "OR PA RI SC SD TN TX UT VT VA "
    "WA WV WI WY"
)
_MONTH_FIRST_HINT = re.compile(
    rf"\b(?:{'|'.join(_STATES.split())}),?\s\d{{5}}(?:-\d{{4}})?\b|\bUSD\b|\bUnited States\b|\bmm/dd\b|"
    rf"\bsales tax\b",
    re.IGNORECASE,
)
_LLC, _BARE_DOLLARS = re.compile(r"\bLLC\b", re.IGNORECASE), re.compile(r"(?<![A-Z])\$\s?\d")
"""There are LLCs in many countries; with bare dollars they are American."""
_DAY_FIRST_HINT = re.compile(
    r"\bGST\b|\bVAT\b|\bBHD\b|\bLtd\b|[€£]|\b(?:EUR|GBP|CHF|SEK|NOK|DKK|PLN|CZK|MYR|RM|INR|AUD|NZD|SGD|BRL|MXN|ZAR|THB)\b|\bGmbH\b",
    re.IGNORECASE,
)
_CENTURY_PIVOT = 70


def _number(digits: str) -> int:
    return int(digits.translate({ord("O"): "0", ord("o"): "0"}))


def _year(digits: str) -> int:
    year = _number(digits.lstrip("'"))
    if len(digits.lstrip("'")) == 4:
        return year
    return 1900 + year if year >= _CENTURY_PIVOT else 2000 + year


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def day_first(text: str) -> bool:
    """Whether `03/04/2026` means 3 April in this document.

    Decided by its unambiguous dates; without any, month-first only where the document looks American.
    """
    votes = 0
    for match in _NUMERIC.finditer(text):
        first, second = _number(match["a"]), _number(match["b"])
        votes += (first > 12 >= second) - (second > 12 >= first)
    if votes:
        return votes > 0
    american = _MONTH_FIRST_HINT.search(text) or (_LLC.search(text) and _BARE_DOLLARS.search(text))
    return american is None or _DAY_FIRST_HINT.search(text) is not None


def _numeric(match: re.Match[str], first_is_day: bool) -> str | None:
    """The date as the document's order has it; else as the weekday beside it says, or as it can be read at all."""
    first, second, year = _number(match["a"]), _number(match["b"]), _year(match["year"])
    if match["sep"].strip() == ".":
        first_is_day = True
    day, month = (first, second) if first_is_day else (second, first)
    found = [one for one in (_iso(year, month, day), _iso(year, day, month)) if one]
    if (weekday := _weekday_beside(match)) is not None:
        year_first = _iso(_year(match["a"]), second, int(match["year"])) if len(match["year"]) == 2 else None
        for one in (*found, year_first):
            if one and date.fromisoformat(one).weekday() == weekday:
                return one
    return found[0] if found else None


def _weekday_beside(match: re.Match[str]) -> int | None:
    """The number of the weekday, Monday's is 0, that is written right before or after a date."""
    text = match.string
    before = list(_WEEKDAY.finditer(text, max(0, match.start() - _WEEKDAY_REACH), match.start()))
    after = _WEEKDAY.search(text, match.end(), match.end() + _WEEKDAY_REACH)
    if before and not re.search(r"[\n\d]", text[before[-1].end() : match.start()]):
        return _WEEKDAYS.index(before[-1][1].lower())
    if after and not re.search(r"[\n\d]", text[match.end() : after.start()]):
        return _WEEKDAYS.index(after[1].lower())
    return None


def dates(source: Source) -> Sequence[Candidate]:
    """Calendar dates as `YYYY-MM-DD`."""
    text = source.text
    first_is_day = day_first(text)
    found: list[tuple[re.Match[str], str | None]] = []
    found += [(m, _iso(int(m["year"]), int(m["m"]), int(m["d"]))) for m in _ISO.finditer(text)]
    found += [(m, _numeric(m, first_is_day)) for m in _NUMERIC.finditer(text)]
    found += [
        (m, _iso(int(m["year"]), int(m["m"]), int(m["d"])))
        for pattern in (_COMPACT, _COMPACT_DAY_FIRST, _SPACED)
        for m in pattern.finditer(text)
    ]
    for pattern in (_DAY_MONTH, _MONTH_DAY, _YEAR_MONTH_DAY):
        found += [(m, _iso(_year(m["year"]), MONTHS[m["month"].lower()], int(m["d"]))) for m in pattern.finditer(text)]
    return [Candidate(value, match.start(), match.end()) for match, value in found if value is not None]


def _clock(match: re.Match[str]) -> str | None:
    hour = int(match["h"])
    if half := match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    return f"{hour:02d}:{match['min']}:{match['s'] or '00'}"


def _zone(match: re.Match[str]) -> str:
    zone = (match["zone"] or "").strip().upper()
    if zone in ("UTC", "GMT"):
        return "Z"
    return f"{zone[:3]}:{zone[-2:]}" if zone[:1] in ("+", "-") else zone


def timestamps(source: Source) -> Sequence[Candidate]:
    """Dates with their time of day as `YYYY-MM-DDTHH:MM:SS[zone]`; a date that has no time stays a date."""
    found: list[Candidate] = []
    for day in source.read(dates):
        after = _TIME_AFTER.match(source.text, day.end)
        before = _TIME_BEFORE.search(source.text, max(0, day.start - 30), day.start)
        if after and (clock := _clock(after)):
            end = day.end + len(after.group().rstrip())
            found.append(Candidate(f"{day.value}T{clock}{_zone(after)}", day.start, end, day.cue))
        elif before and (clock := _clock(before)):
            found.append(Candidate(f"{day.value}T{clock}", before.start(), day.end, day.cue))
        else:
            found.append(day)
    return found
