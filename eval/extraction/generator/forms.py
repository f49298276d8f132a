"""How dates, amounts and durations are written."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

_MONTHS = "January February March April May June July August September October November December".split()
_WORDS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
          "seventeen eighteen nineteen").split()  # fmt: skip
_TENS = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 90: "ninety"}
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "US$", "MYR": "RM", "PLN": "zł", "BRL": "R$", "INR": "Rs.", "CAD": "C$",
            "AUD": "A$", "SGD": "S$", "MXN": "MX$", "CZK": "Kč"}  # fmt: skip
_TRAILING = ("zł", "Kč")
_CONTINENTAL = ("EUR", "SEK", "PLN", "BRL", "NOK", "DKK", "CZK", "TRY")
CURRENCIES = ("EUR", "EUR", "GBP", "USD", "CHF", "MYR", "SEK")


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


DATE_FORMS: Mapping[str, Callable[[date], str]] = {
    "iso": date.isoformat,
    "long": lambda d: f"{d.day} {_MONTHS[d.month - 1]} {d.year}",
    "american": lambda d: f"{_MONTHS[d.month - 1]} {d.day}, {d.year}",
    "short": lambda d: f"{d.day:02d}-{_MONTHS[d.month - 1][:3]}-{d.year}",
    "slashes": lambda d: f"{d.day:02d}/{d.month:02d}/{d.year}",
    "dots": lambda d: f"{d.day:02d}.{d.month:02d}.{d.year}",
    "two_digits": lambda d: f"{d.day:02d}-{d.month:02d}-{d.year % 100:02d}",
    "ordinal": lambda d: f"{_ordinal(d.day)} day of {_MONTHS[d.month - 1]}, {d.year}",
    "spoken": lambda d: f"{_ordinal(d.day)} {_MONTHS[d.month - 1]} {d.year}",
    "year_first": lambda d: f"{d.year}/{d.month:02d}/{d.day:02d}",
    "compact_month": lambda d: f"{d.day:02d}{_MONTHS[d.month - 1][:3].upper()}{d.year}",
    "short_year": lambda d: f"{d.day}-{_MONTHS[d.month - 1][:3]}-{d.year % 100:02d}",
    "short_dots": lambda d: f"{d.day}.{d.month}.{d.year % 100:02d}",
    # Only where the order can be told.
    "month_first": lambda d: f"{d.month}/{d.day}/{d.year}" if d.day > 12 else d.isoformat(),
}
PROSE_DATES = ("long", "american", "spoken")
TABLE_DATES = ("iso", "long", "american", "short", "slashes", "dots", "two_digits")


@dataclass(frozen=True)
class Money:
    """How a document writes its amounts: with which mark, and with which separators."""

    currency: str
    mark: str
    leads: bool
    spaced: bool
    continental: bool

    def write(self, amount: float, form: str = "") -> str:
        """The amount; `plain` leaves the mark out."""
        digits = f"{amount:,.2f}"
        if self.continental:
            digits = digits.translate(str.maketrans(",.", ".,"))
        if form == "plain" or not self.mark:
            return digits
        gap = " " if self.spaced else ""
        return f"{self.mark}{gap}{digits}" if self.leads else f"{digits} {self.mark}"


def sample_money(rng: random.Random, currencies: Sequence[str] = CURRENCIES) -> Money:
    """A currency and a way to write it; one document in six writes no mark at all."""
    currency = rng.choice(currencies)
    symbol = _SYMBOLS.get(currency)
    mark = "" if rng.random() < 0.16 else rng.choice((currency, symbol or currency))
    leads = mark not in _TRAILING and (mark != currency or rng.random() < 0.6)
    continental = currency in _CONTINENTAL and rng.random() < 0.3
    return Money(currency, mark, leads, mark == currency or rng.random() < 0.4, continental)


def words(number: int) -> str:
    """A number below 100 in words."""
    if number < 20:
        return _WORDS[number]
    tens, ones = number // 10 * 10, number % 10
    return _TENS[tens] if ones == 0 else f"{_TENS[tens]}-{_WORDS[ones]}"


def write_duration(duration: str, form: str) -> str:
    """`N unit` as digits, in words, or in words with the digits in brackets."""
    digits, unit = duration.split(" ", 1)
    if form == "digits" or int(digits) > 99 or (int(digits) // 10 * 10 not in _TENS and int(digits) >= 20):
        return duration
    spoken = words(int(digits))
    return f"{spoken} ({digits}) {unit}" if form == "both" else f"{spoken} {unit}"
