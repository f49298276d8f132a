"""Reads single values the way people write them: "1.234,56", "$2,400", "3 hours", "8,000 km", "3:12 am"."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time

from dateutil import parser as dates

NUMBER = r"\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)*"

SYMBOLS = {
    "US$": "USD", "A$": "AUD", "C$": "CAD", "CA$": "CAD", "S$": "SGD", "HK$": "HKD", "NZ$": "NZD", "R$": "BRL",
    "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₦": "NGN", "₩": "KRW", "₺": "TRY", "₴": "UAH",
    "₽": "RUB", "zł": "PLN", "₫": "VND", "₱": "PHP", "₪": "ILS", "฿": "THB",
}  # fmt: skip
CODES = frozenset(
    "AED ARS AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP GHS HKD HUF IDR ILS INR ISK JPY KES KRW KWD MAD "
    "MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH "
    "USD UYU VND XAF XOF ZAR".split()
)
WORDS = {
    "euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD", "bucks": "USD", "pounds": "GBP", "quid": "GBP",
    "sterling": "GBP", "yen": "JPY", "rupees": "INR", "naira": "NGN", "francs": "CHF", "kronor": "SEK", "yuan": "CNY",
    "zloty": "PLN", "reais": "BRL", "rand": "ZAR",
}  # fmt: skip

_symbol = "|".join(re.escape(symbol) for symbol in sorted(SYMBOLS, key=len, reverse=True))
_code = "|".join(sorted(CODES))
_word = "|".join(WORDS)
MONEY = re.compile(
    rf"(?<![\w.,])(?P<minus>[-−]\s?)?(?:(?P<before>{_symbol}|\b(?:{_code})\b)\s?(?P<n1>{NUMBER})(?P<k1>k\b)?"
    rf"|(?P<n2>{NUMBER})(?P<k2>k\b)?[ \u00a0]?(?P<after>{_symbol}|(?:{_code}|{_word})\b))",
    re.IGNORECASE,
)

_COUNT_WORDS = {
    "no": 0, "zero": 0, "one": 1, "first": 1, "two": 2, "second": 2, "three": 3, "third": 3, "four": 4, "fourth": 4,
    "five": 5, "fifth": 5, "six": 6, "sixth": 6, "seven": 7, "seventh": 7, "eight": 8, "eighth": 8, "nine": 9,
    "ninth": 9, "ten": 10, "tenth": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
COUNT = rf"\d{{1,6}}(?:st|nd|rd|th)?|{'|'.join(_COUNT_WORDS)}"

_MINUTES = {"s": 1 / 60, "m": 1.0, "h": 60.0, "d": 1440.0, "w": 10080.0, "mo": 43830.0, "y": 525960.0}
_UNIT = (
    r"(?P<unit>s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:ou?r?s?)?|d(?:ays?)?|w(?:eeks?)?|mo(?:nths?)?|y(?:ea)?r?s?)"
)
# Without named groups, so that other patterns can hold them.
DURATION = (
    rf"(?:{NUMBER}|\ban?|\b(?:{'|'.join(_COUNT_WORDS)}))[\s-]*"
    r"(?:sec(?:ond)?|min(?:ute)?|hour|hr|day|week|month|year|[mhd]\b)s?"
)
DISTANCE = rf"(?:{NUMBER})\s*(?:kms?|kilomet(?:er|re)s?|mi|miles?)\b"
_DURATION = re.compile(
    rf"(?P<number>[-−]?(?:{NUMBER})|an?|{'|'.join(_COUNT_WORDS)})[\s-]*{_UNIT}\.?(?:\s+(?:old|ago))?", re.IGNORECASE
)
_DISTANCE = re.compile(
    rf"(?P<number>[-−]?(?:{NUMBER}))\s*(?P<unit>kms?|kilomet(?:er|re)s?|mi|miles?|m|met(?:er|re)s?)", re.IGNORECASE
)
_TRUE = frozenset({"true", "yes", "y", "1", "t"})
_FALSE = frozenset({"false", "no", "n", "0", "f"})


def read_number(text: str, *, grouped_dot: bool = False) -> float:
    """Read a decimal number with either grouping convention. A comma before exactly three digits groups;
    a dot does so only where it repeats, or with `grouped_dot` (an amount written with its currency).

    Raises ValueError when it is not a finite number.
    """
    digits = re.sub(r"[ \u00a0\u202f'’_]", "", text.strip()).replace("−", "-")
    if "," in digits and "." in digits:
        decimal = max(digits.rfind(","), digits.rfind("."))
        digits = re.sub(r"[.,]", "", digits[:decimal]) + "." + digits[decimal + 1 :]
    elif digits.count(",") > 1 or re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", digits):
        digits = digits.replace(",", "")
    elif digits.count(".") > 1 or (grouped_dot and re.fullmatch(r"[-+]?[1-9]\d{0,2}\.\d{3}", digits)):
        digits = digits.replace(".", "")
    try:
        number = float(digits.replace(",", "."))
    except ValueError as error:
        raise ValueError("not a number") from error
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def money_of(match: re.Match[str]) -> tuple[float, str]:
    """Amount and ISO 4217 code of a `MONEY` match."""
    unit = match["before"] or match["after"]
    currency = SYMBOLS.get(unit) or SYMBOLS.get(unit.upper()) or WORDS.get(unit.lower()) or unit.upper()
    amount = read_number(match["n1"] or match["n2"], grouped_dot=True) * (1000 if match["k1"] or match["k2"] else 1)
    return (-amount if match["minus"] else amount), currency


def read_money(value: object) -> tuple[float, str | None]:
    """Read an amount with or without its currency, e.g. `2400.0`, `"$2,400"`, `"1.234,56 EUR"`.

    Raises ValueError when it is not one amount.
    """
    if isinstance(value, str):
        match = MONEY.fullmatch(value.strip())
        return money_of(match) if match else (read_number(value), None)
    return _plain_number(value), None


def read_currency(text: str) -> str:
    """ISO 4217 code of a code, symbol or word; raises ValueError for anything else."""
    cleaned = text.strip()
    code = SYMBOLS.get(cleaned) or WORDS.get(cleaned.lower()) or cleaned.upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise ValueError("not a currency code")
    return code


def read_minutes(value: object, *, unit: str = "m") -> float:
    """Read a duration in minutes. A bare number counts in `unit` (s, m, h, d, w, mo, y); raises ValueError."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return _plain_number(value) * _MINUTES[unit]
    number = match["number"].lower()
    amount = 1.0 if number in {"a", "an"} else float(_COUNT_WORDS.get(number, -1))
    if amount < 0:
        amount = read_number(number)
    return amount * _MINUTES[_unit_key(match["unit"])]


def read_km(value: object) -> float:
    """Read a distance in kilometres (a bare number is kilometres); raises ValueError."""
    match = _DISTANCE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return _plain_number(value)
    unit = match["unit"].lower()
    factor = 1.609344 if unit.startswith("mi") else 1.0 if unit.startswith("k") else 0.001
    return read_number(match["number"]) * factor


def read_count(value: object) -> int:
    """Read a whole number, an ordinal or a number word; raises ValueError."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _COUNT_WORDS:
            return _COUNT_WORDS[word]
        value = re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", word)
    number = _plain_number(value)
    if number != int(number):
        raise ValueError("not a whole number")
    return int(number)


def read_flag(value: object) -> bool:
    """Read a yes/no value; raises ValueError."""
    word = str(value).strip().lower().removesuffix(".0")
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("neither yes nor no")


def read_moment(value: object) -> tuple[date | None, time | None]:
    """Read a date, a time of day or both. What is not written stays None: nothing is filled in.

    Numbers are Unix time in seconds or milliseconds (UTC). A day and month that could be swapped ("03/04/2024") are
    not read as a date. The clock is kept as written and an offset is dropped. Raises ValueError when there is neither
    a date nor a time.
    """
    if isinstance(value, datetime):
        return value.date(), value.time()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_unix(_plain_number(value))
    text = re.sub(r"\b(\d{1,2})h(\d{2})\b", r"\1:\2", str(value).strip())
    if re.fullmatch(r"\d{10}|\d{13}", text):
        return _from_unix(float(text))
    if not re.search(r"\d", text) or len(text) > 60:
        raise ValueError("not a date or time")
    return _stated_parts(text)


def _from_unix(number: float) -> tuple[date, time]:
    seconds = number / 1000 if number > 1e11 else number
    if not 0 < seconds < 4.1e9:
        raise ValueError("not a plausible Unix time")
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.date(), moment.time()


def _stated_parts(text: str) -> tuple[date | None, time | None]:
    """Parse against two defaults that differ in every part: a part that stays equal was really written."""
    numeric = re.match(r"(\d{1,2})[/-](\d{1,2})[/-]\d{2,4}", text)
    dotted = bool(re.match(r"\d{1,2}\.\d{1,2}\.\d{2,4}", text))
    swappable = bool(numeric) and int(numeric[1]) <= 12 and int(numeric[2]) <= 12 and numeric[1] != numeric[2]
    try:
        one = dates.parse(text, default=datetime(2000, 1, 1, 0, 0), dayfirst=dotted, ignoretz=True)
        two = dates.parse(text, default=datetime(2004, 2, 2, 1, 1), dayfirst=dotted, ignoretz=True)
    except (OverflowError, TypeError, AttributeError) as error:
        raise ValueError("not a date or time") from error
    day = one.date() if one.date() == two.date() and not swappable else None
    clock = one.time() if one.hour == two.hour else None
    if day is None and clock is None and not swappable:
        raise ValueError("not a full date or time")
    return day, clock


def _plain_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a number")
    number = read_number(value) if isinstance(value, str) else float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _unit_key(unit: str) -> str:
    lowered = unit.lower()
    return "mo" if lowered.startswith("mo") else lowered[0]
