"""Numbers, money amounts and currencies."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.extraction.readers.dates import dates
from tools.extraction.readers.source import Candidate, Source

ISO_CURRENCIES = frozenset(
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES KRW MAD MXN MYR NGN NOK NZD "
    "PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR".split()
)
_SYMBOLS = {
    "US$": "USD", "A$": "AUD", "C$": "CAD", "S$": "SGD", "HK$": "HKD", "NZ$": "NZD", "R$": "BRL", "€": "EUR", "£": "GBP",
    "¥": "JPY", "₹": "INR", "₩": "KRW", "₺": "TRY", "₽": "RUB", "₪": "ILS", "₦": "NGN", "zł": "PLN", "Kč": "CZK", "RM": "MYR",
    "Rs.": "INR", "Rs": "INR", "Rp": "IDR", "$": "USD", "euros": "EUR", "euro": "EUR", "dollars": "USD", "pounds": "GBP",
    "Fr.": "CHF",
}  # fmt: skip
_DOLLARS = ("USD", "AUD", "CAD", "SGD", "HKD", "NZD")
_ISO = "|".join(sorted(ISO_CURRENCIES))
_SYMBOL = "|".join(
    re.escape(symbol) for symbol in sorted(_SYMBOLS, key=len, reverse=True) if not symbol.isalpha() or len(symbol) < 3
)
_WORDS = "euros?|dollars|pounds"
_DIGITS = r"\d{1,3}(?:[,.' \u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,4})?"
_MONEY = re.compile(
    rf"(?P<minus>(?<![\w)])-\s?)?(?:(?<![A-Za-z])(?P<before>{_ISO}|{_SYMBOL})\s?:?\s?)?(?P<minus2>-)?(?<![\w.,'/])(?P<digits>{_DIGITS})"
    rf"(?![\d/])(?!\s?%)(?:\s?(?P<after>(?:{_ISO}|{_WORDS})(?![A-Za-z])|€|£|zł|Kč))?"
)
_GLUED = re.compile(rf"(?<![A-Za-z])(?P<before>{_ISO}|{_SYMBOL})(?P<digits>{_DIGITS})(?![\d/])(?!\s?%)")
_CURRENCY = re.compile(
    rf"(?<![A-Za-z])(?P<code>{_ISO})(?![A-Za-z])|(?<![A-Za-z])(?P<symbol>{_SYMBOL})(?![A-Za-z])|\b(?P<word>{_WORDS})\b"
)


def parse_number(digits: str) -> float:
    """A written number to a float: `1.234,56`, `1,234.56`, `1 234` and `12,5` are all understood."""
    plain = re.sub(r"[' \u00a0\u202f]", "", digits)
    cut = max(plain.rfind("."), plain.rfind(","))
    if cut < 0:
        return float(plain)
    whole, rest, mark = plain[:cut], plain[cut + 1 :], plain[cut]
    grouped = len(rest) == 3 and (plain.count(mark) > 1 or (mark == "," and not whole.startswith("0")))
    if grouped:
        return float(re.sub(r"[.,]", "", plain))
    return float(re.sub(r"[.,]", "", whole) + "." + rest)


def dollar(text: str) -> str:
    """What `$` means in this document: the one dollar that its text names by code, else USD."""
    named = [code for code in _DOLLARS if re.search(rf"\b{code}\b", text)]
    return named[0] if len(named) == 1 else "USD"


def currency_code(mark: str, text: str) -> str:
    """The ISO 4217 code of a currency mark as it is used in the text."""
    if mark == "$":
        return dollar(text)
    return mark if mark in ISO_CURRENCIES else _SYMBOLS.get(mark, _SYMBOLS.get(mark.lower(), mark))


def _overlaps_date(source: Source) -> list[tuple[int, int]]:
    return [(found.start, found.end) for found in source.read(dates)]


def _matches(source: Source) -> list[re.Match[str]]:
    taken = _overlaps_date(source)
    matches = sorted(
        [*_MONEY.finditer(source.text), *_GLUED.finditer(source.text)], key=lambda m: (m.start("digits"), m.start())
    )
    kept: list[re.Match[str]] = []
    position = 0
    for match in matches:
        if kept and match.start("digits") < kept[-1].end("digits"):
            continue
        while position < len(taken) and taken[position][1] <= match.start("digits"):
            position += 1
        if position < len(taken) and taken[position][0] < match.end("digits"):
            continue
        kept.append(match)
    return kept


def _candidate(match: re.Match[str], cue: float) -> Candidate:
    groups = match.groupdict()
    sign = -1 if groups.get("minus") or groups.get("minus2") else 1
    return Candidate(sign * parse_number(match["digits"]), match.start(), match.end(), cue)


def numbers(source: Source) -> Sequence[Candidate]:
    """Every number that is not part of a date, a longer code or a percentage."""
    return [_candidate(match, 0.0) for match in _matches(source)]


def amounts(source: Source) -> Sequence[Candidate]:
    """Numbers that look like money: with a currency mark (cue 0.2) or with two decimals (cue 0)."""
    found: list[Candidate] = []
    for match in _matches(source):
        marked = match["before"] or match.groupdict().get("after")
        if marked or re.search(r"[.,]\d\d$", match["digits"]):
            found.append(_candidate(match, 0.2 if marked else 0.0))
    return found


def currencies(source: Source) -> Sequence[Candidate]:
    """Currency codes and symbols as ISO 4217 codes; marks that stand at an amount are likelier (cue 0.5)."""
    found: list[Candidate] = []
    for match in _CURRENCY.finditer(source.text):
        near = source.text[max(0, match.start() - 3) : match.end() + 3]
        code = currency_code(match.group(), source.text)
        found.append(Candidate(code, match.start(), match.end(), 0.5 if re.search(r"\d", near) else 0.3))
    return found
