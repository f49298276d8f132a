"""Numbers, money amounts and currencies."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.extraction.readers.dates import dates
from tools.extraction.readers.source import Candidate, Source

ISO_CURRENCIES = frozenset(
    "AED ARS AUD AZN BDT BGN BHD BRL CAD CHF CLP CNY COP CRC CZK DKK DZD EGP ETB EUR GBP GHS GTQ HKD HUF IDR ILS INR "
    "IQD ISK JMD JOD JPY KES KHR KRW KWD KZT LKR MAD MXN MYR NGN NOK NPR NZD OMR PEN PHP PKR PLN PYG QAR RON RSD RUB "
    "SAR SEK SGD THB TND TRY TWD TZS UAH UGX USD UYU VND XAF XOF ZAR ZMW".split()
)
_SYMBOLS = {
    "US$": "USD", "A$": "AUD", "C$": "CAD", "S$": "SGD", "HK$": "HKD", "MX$": "MXN", "NZ$": "NZD", "R$": "BRL",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY", "₹": "INR", "₩": "KRW", "₺": "TRY", "₽": "RUB", "₪": "ILS", "₦": "NGN", "zł": "PLN", "Kč": "CZK",
    "RM": "MYR",
    "Rs.": "INR", "Rs": "INR", "Rp": "IDR", "$": "USD", "euros": "EUR", "euro": "EUR", "dollars": "USD",
    "pounds": "GBP",
    "Fr.": "CHF",
}  # fmt: skip
_DOLLARS = ("USD", "AUD", "CAD", "SGD", "HKD", "NZD")
_ISO = "|".join(sorted(ISO_CURRENCIES))
_SYMBOL = "|".join(
    re.escape(symbol) for symbol in sorted(_SYMBOLS, key=len, reverse=True) if not symbol.isalpha() or len(symbol) < 3
)
_WORDS = "euros?|dollars|pounds"
_DIGITS = r"\d{1,3}(?:[,.' \u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,4})?"
_NUMBER = re.compile(rf"(?<![\d.,'/])(?P<digits>{_DIGITS})(?![\d/])(?!\s?%)")
_BEFORE = re.compile(
    rf"(?P<minus>(?<![\w)-])-(?:(?<=\n-)\s)?)?(?<![A-Za-z])(?P<mark>{_ISO}|{_SYMBOL})\s?:?\s?(?P<minus2>-)?$"
)
_MINUS = re.compile(r"(?:(?<![\w).,-])-|(?<![^\n])-\s)$")
_AFTER = re.compile(rf"\s?(?:{_ISO}|{_WORDS})(?![A-Za-z])|\s?(?:€|£|zł|Kč)")
_MARK_CHARS = 8
_MARKED_CUE = 0.2
_DECIMALS = re.compile(r"[.,]\d\d$")
_PROMISED = re.compile(r"\b(?:less|off|save|coupon|voucher)\b|\bnext\s+(?:time|visit|purchase|order)\b", re.IGNORECASE)
"""What is promised for another time says nothing of this document's currency or total."""
_PROMISE_CHARS = 40
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


def _number(source: Source, match: re.Match[str]) -> Candidate | None:
    """The number with its sign and currency; `None` for digits inside a code."""
    first = max(0, match.start() - _MARK_CHARS)
    lead = source.text[first : match.start()]
    bare = not lead.strip() or lead.rstrip()[-1] in ",;)(|"
    mark = None if bare else _BEFORE.search(lead)
    minus = None if bare or mark else _MINUS.search(lead)
    if mark is None and minus is None and lead and (lead[-1].isalnum() or lead[-1] in "_-"):
        return None
    after = _AFTER.match(source.text, match.end())
    opening = mark or minus
    start = first + opening.start() if opening else match.start()
    negative = minus is not None or (mark is not None and (mark["minus"] or mark["minus2"]) is not None)
    value = (-1 if negative else 1) * parse_number(match["digits"])
    return Candidate(value, start, after.end() if after else match.end(), _MARKED_CUE if mark or after else 0.0)


def numbers(source: Source) -> Sequence[Candidate]:
    """Every number that is not part of a date, a longer code or a percentage; with a currency mark its cue is 0.2."""
    days = source.read(dates)
    found: list[Candidate] = []
    position = 0
    for match in _NUMBER.finditer(source.text):
        while position < len(days) and days[position].end <= match.start():
            position += 1
        in_date = position < len(days) and days[position].start < match.end()
        if not in_date and (number := _number(source, match)):
            found.append(number)
    return found


def amounts(source: Source) -> Sequence[Candidate]:
    """Numbers that look like money: with a currency mark or with two decimals."""
    return [one for one in source.read(numbers) if one.cue or _DECIMALS.search(source.text, one.start, one.end)]


def is_promised(source: Source, start: int, end: int) -> bool:
    """Whether its line says that a span is of another time: `Next visit 5.00 EUR less`."""
    before = source.text[max(0, start - _PROMISE_CHARS) : start].rpartition("\n")[2]
    after = source.text[end : end + _PROMISE_CHARS].partition("\n")[0]
    return _PROMISED.search(f"{before} {after}") is not None


def currencies(source: Source) -> Sequence[Candidate]:
    """Currency codes and symbols as ISO 4217 codes; marks that stand at an amount are likelier (cue 0.5)."""
    found: list[Candidate] = []
    for match in _CURRENCY.finditer(source.text):
        if is_promised(source, match.start(), match.end()):
            continue
        near = source.text[max(0, match.start() - 3) : match.end() + 3]
        code = currency_code(match.group(), source.text)
        found.append(Candidate(code, match.start(), match.end(), 0.5 if re.search(r"\d", near) else 0.3))
    return found
