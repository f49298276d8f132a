"""Reads a transaction's facts out of prose with one deterministic pattern after another.

Each reader takes what it understood out of the text, so that "usually spends 45" is never read as the amount. Values
stay as written; `read_transaction` turns them into numbers. What is not written is not filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.fraud import coerce
from tools.fraud.countries import country_code
from tools.fraud.prose_patterns import (
    AMOUNT,
    CARD_AGE,
    CARD_NOT_PRESENT,
    CATEGORY,
    CLOCK,
    CODE,
    COUNT,
    COUNT_WINDOWS,
    CUSTOMER,
    DATE,
    DISTANCE,
    HOME,
    KNOWN_CATEGORY,
    KNOWN_MERCHANT,
    MERCHANT,
    NEW_CATEGORY,
    NEW_MERCHANT,
    NOT_A_MERCHANT,
    PLACE,
    SHOP,
    SINCE_LAST,
    TRANSACTION_ID,
    USUAL,
)
from tools.fraud.values import MONEY

MAX_CHARS = 4000
_MASK = "\x00"


@dataclass
class Scan:
    """What is left to read of a text, and what was found so far: raw values by field."""

    text: str
    found: dict[str, str] = field(default_factory=dict[str, str])

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The first match, which is then hidden from later readers."""
        match = pattern.search(self.text)
        if match:
            hidden = _MASK * (match.end() - match.start())
            self.text = self.text[: match.start()] + hidden + self.text[match.end() :]
        return match

    def keep(self, name: str, pattern: re.Pattern[str]) -> None:
        """Take the pattern's first named group as the value of a field."""
        if match := self.take(pattern):
            self.found[name] = next(value for value in match.groups() if value).strip()


def read_prose(text: str) -> dict[str, str]:
    """Raw values by field name, e.g. `{"amount": "EUR 2,400", "time": "03:12"}`; empty when nothing is understood."""
    scan = Scan(text[:MAX_CHARS])
    for reader in _READERS:
        reader(scan)
    return scan.found


def _identifiers(scan: Scan) -> None:
    scan.keep("transaction_id", TRANSACTION_ID)
    scan.keep("customer_id", CUSTOMER)
    scan.keep("transaction_code", CODE)


def _moment(scan: Scan) -> None:
    scan.keep("date", DATE)
    if match := scan.take(CLOCK):
        word = match["word"]
        scan.found["time"] = {"noon": "12:00", "midnight": "00:00"}[word.lower()] if word else match["clock"]


def _history(scan: Scan) -> None:
    scan.keep("card_age_days", CARD_AGE)
    scan.keep("distance_from_last_km", DISTANCE)
    scan.keep("minutes_since_last", SINCE_LAST)
    while match := scan.take(COUNT):
        window = re.sub(r"\s", "", match["window"].lower())
        name = next(name for starts, name in COUNT_WINDOWS if window.startswith(starts))
        scan.found.setdefault(name, match["count"])


def _money(scan: Scan) -> None:
    scan.keep("customer_usual_amount", USUAL)
    if match := scan.take(MONEY):
        scan.found["amount"] = match[0]
    else:
        scan.keep("amount", AMOUNT)


def _channel(scan: Scan) -> None:
    if match := CARD_NOT_PRESENT.search(scan.text):
        scan.found["channel"] = match[0]
    elif coerce.read_channel(scan.text):
        scan.found["channel"] = scan.text.replace(_MASK, " ")


def _firsts(scan: Scan) -> None:
    for name, new, known in (
        ("first_time_merchant", NEW_MERCHANT, KNOWN_MERCHANT),
        ("first_time_category", NEW_CATEGORY, KNOWN_CATEGORY),
    ):
        if scan.take(new):
            scan.found[name] = "yes"
        elif scan.take(known):
            scan.found[name] = "no"


def _places(scan: Scan) -> None:
    if match := scan.take(HOME):
        country = _country_in(match["place"])
        if country:
            scan.found["customer_home_country"] = country
    if match := scan.take(PLACE):
        place, rest = match["place"], match["rest"]
        scan.found["city"] = f"{place}, {rest}" if rest and country_code(rest) else place


def _merchant(scan: Scan) -> None:
    while match := scan.take(MERCHANT):
        name = next(value for value in match.groups() if value).strip(" .'’-")
        if not NOT_A_MERCHANT.fullmatch(name) and not country_code(name):
            scan.found["merchant"] = name
            break
    scan.keep("merchant_category", CATEGORY)
    if "merchant_category" not in scan.found:
        scan.keep("merchant_category", SHOP)


def _country_in(place: str) -> str | None:
    """The country of "Germany" or "Berlin, Germany"; the words after it are ignored."""
    parts = re.split(r"[,\s]+", place)
    candidates = (" ".join(parts[i:j]) for i in range(len(parts)) for j in range(len(parts), i, -1))
    return next(
        (code for name in candidates if (code := country_code(name)) and (len(name) > 2 or name.isupper())), None
    )


# Order matters: a reader sees only what earlier ones did not take.
_READERS: tuple[Callable[[Scan], None], ...] = (
    _identifiers,
    _channel,
    _firsts,
    _history,
    _money,
    _moment,
    _places,
    _merchant,
)
