"""From one caller's field and value to the transaction's fields."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from tools.fraud import values
from tools.fraud.countries import country_code
from tools.fraud.fields import Field

_MAX_NOTE_CHARS = 160
PLACES = ("country", "customer_home_country")
_BLANKS = frozenset({"", "-", "n/a", "na", "nan", "none", "null", "unknown", "nil", "?"})

_CHANNEL_WORDS: tuple[tuple[str, str], ...] = (
    (r"mo/?to\b|mail[- ]order|telephone|phone order|by phone|over the phone", "moto"),
    (r"atm\b|cash machine|cash ?point|cash withdrawal|withdr", "atm"),
    (r"contact-?less|nfc|tap\b|tapped|tap to pay|apple pay|google pay", "contactless"),
    (r"e-?com|online|web|internet|card[- ]not[- ]present|cnp\b|in-app|mobile app|app\b", "ecommerce"),
    (r"pos\b|point of sale|in[- ](?:store|person)|chip|swipe|card[- ]present|terminal|magstripe", "pos"),
)


def is_blank(text: str) -> bool:
    """Whether a cell says that nothing is known."""
    return text.strip().casefold() in _BLANKS


def read_channel(text: str) -> str | None:
    """The channel that words stand for, or None. "Card not present" without more counts as e-commerce."""
    lowered = text.replace("_", " ").casefold()
    return next((channel for words, channel in _CHANNEL_WORDS if re.search(rf"\b(?:{words})", lowered)), None)


def read_field(field: Field, value: object) -> dict[str, Any]:
    """The transaction's fields that this value fills in: usually one, none where it says nothing usable.

    Raises ValueError with a sentence for people.
    """
    return _READERS[field.name](field, value)


def _money(field: Field, value: object) -> dict[str, Any]:
    amount, currency = values.read_money(value)
    currency = currency or field.unit
    found: dict[str, Any] = {field.name: _not_negative(amount)}
    return found | ({"currency": currency} if currency and field.name == "amount" else {})


def _minutes(field: Field, value: object) -> dict[str, Any]:
    return {field.name: _not_negative(values.read_minutes(value, unit=field.unit or "m"))}


def _days(field: Field, value: object) -> dict[str, Any]:
    return {field.name: _not_negative(values.read_minutes(value, unit=field.unit or "d") / 1440)}


def _kilometres(field: Field, value: object) -> dict[str, Any]:
    bare = field.unit and not isinstance(value, str)
    return {field.name: _not_negative(values.read_km(f"{value} {field.unit}" if bare else value))}


def _count(field: Field, value: object) -> dict[str, Any]:
    return {field.name: int(_not_negative(values.read_count(value)))}


def _flag(field: Field, value: object) -> dict[str, Any]:
    return {field.name: values.read_flag(value)}


def _channel(field: Field, value: object) -> dict[str, Any]:
    channel = read_channel(str(value))
    return {field.name: channel} if channel else {}


def _currency(field: Field, value: object) -> dict[str, Any]:
    return {field.name: values.read_currency(str(value))}


def _country(field: Field, value: object) -> dict[str, Any]:
    code = country_code(str(value))
    return {field.name: code} if code else {}


def _city(field: Field, value: object) -> dict[str, Any]:
    """ "Lagos, Nigeria" is a city and a country; "Nigeria" alone is a country."""
    text = _text(value, 80)
    head, _, tail = text.rpartition(",")
    if head and (code := country_code(tail)):
        return {field.name: head.strip(), "country": code}
    return {"country": code} if len(text) > 2 and (code := country_code(text)) else {field.name: text}


def _category(field: Field, value: object) -> dict[str, Any]:
    text = _text(value, 80).replace("_", " ").casefold()
    return {field.name: f"mcc {text}" if re.fullmatch(r"\d{4}", text) else text}


def _plain(field: Field, value: object) -> dict[str, Any]:
    return {field.name: _text(value, 24 if field.name == "transaction_code" else 120)}


def _note(field: Field, value: object) -> dict[str, Any]:
    """Free text is cut rather than refused: it is context, not a value that could be wrong."""
    return {field.name: _text(str(value)[:_MAX_NOTE_CHARS], _MAX_NOTE_CHARS)}


def _identifier(field: Field, value: object) -> dict[str, Any]:
    return {field.name: _text(value, 80)}


def _text(value: object, limit: int) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    if not text:
        raise ValueError("is empty")
    if len(text) > limit:
        raise ValueError(f"is longer than {limit} characters")
    return text


def _not_negative(number: float) -> float:
    if number < 0 or math.copysign(1, number) < 0:
        raise ValueError("must not be negative")
    return number


_READERS: dict[str, Callable[[Field, object], dict[str, Any]]] = {
    "transaction_id": _identifier,
    "customer_id": _identifier,
    "amount": _money,
    "customer_usual_amount": _money,
    "currency": _currency,
    "merchant": _plain,
    "merchant_category": _category,
    "transaction_code": _plain,
    "note": _note,
    "channel": _channel,
    "country": _country,
    "customer_home_country": _country,
    "city": _city,
    "distance_from_last_km": _kilometres,
    "minutes_since_last": _minutes,
    "card_age_days": _days,
    "count_1h": _count,
    "count_24h": _count,
    "count_7d": _count,
    "first_time_merchant": _flag,
    "first_time_category": _flag,
}
