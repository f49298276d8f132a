"""The card transaction that training and serving share, and the lenient way in from a caller's fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tools.fraud import coerce, values
from tools.fraud.errors import COUNTERPARTY_FIELDS, FieldsError, MissingFieldsError
from tools.fraud.fields import WRAPPERS, find_field, fold_name, is_withheld

Channel = Literal["pos", "ecommerce", "atm", "contactless", "moto"]
Scalar = str | int | float | bool
CHANNELS: tuple[Channel, ...] = get_args(Channel)

MAX_DETAILS = 40
MAX_DETAIL_CHARS = 80
_MAX_FIELDS = 400
_MAX_DEPTH = 3


class Transaction(BaseModel):
    """One card transaction with what is known of its context. Absent facts are None; nothing is filled in.

    Money is in units of `currency`, distances in kilometres, counts include this transaction. Times are local to the
    purchase, as the caller wrote them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    transaction_id: str | None = Field(default=None, max_length=80)
    timestamp: datetime | None = Field(default=None, description="Date and local time of the purchase.")
    time_of_day: time | None = Field(default=None, description="Local time, also where the date is not known.")
    amount: float = Field(ge=0, le=1e12, allow_inf_nan=False)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")
    merchant: str | None = Field(default=None, max_length=120)
    merchant_category: str | None = Field(default=None, max_length=80)
    channel: Channel | None = None
    country: str | None = Field(default=None, max_length=60, description="ISO 3166-1 alpha-2 where recognised.")
    city: str | None = Field(default=None, max_length=80)
    customer_id: str | None = Field(default=None, max_length=80)
    customer_home_country: str | None = Field(default=None, max_length=60)
    customer_usual_amount: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)
    distance_from_last_km: float | None = Field(default=None, ge=0, le=21_000, allow_inf_nan=False)
    minutes_since_last: float | None = Field(default=None, ge=0, le=60_000_000, allow_inf_nan=False)
    count_1h: int | None = Field(default=None, ge=0, le=100_000)
    count_24h: int | None = Field(default=None, ge=0, le=100_000)
    count_7d: int | None = Field(default=None, ge=0, le=1_000_000)
    first_time_merchant: bool | None = None
    first_time_category: bool | None = None
    card_age_days: float | None = Field(default=None, ge=0, le=36_525, allow_inf_nan=False)
    transaction_code: str | None = Field(default=None, max_length=24)
    note: str | None = Field(default=None, max_length=160, description="Free text that came with the transaction.")
    details: dict[str, Scalar] = Field(default_factory=dict, max_length=MAX_DETAILS)

    @model_validator(mode="after")
    def _has_a_counterparty(self) -> Transaction:
        if all(getattr(self, name) is None for name in COUNTERPARTY_FIELDS):
            raise MissingFieldsError(["merchant"])
        return self


def read_transaction(raw: Mapping[str, Any]) -> Transaction:
    """Read a transaction from a caller's keys and values, whatever their spelling.

    Raises MissingFieldsError without an amount or without any of merchant, category and channel, and FieldsError
    (an InputError with `details["fields"]`) where values cannot be true.
    """
    known, details, reasons = _collect(raw)
    missing = [name for name in ("amount",) if name not in known and name not in reasons]
    if not any(name in known for name in COUNTERPARTY_FIELDS):
        missing.append("merchant")
    if reasons:
        raise FieldsError(reasons)
    if missing:
        raise MissingFieldsError(missing)
    try:
        return Transaction(**known, details=details)
    except ValidationError as error:
        raise FieldsError({_path(item["loc"]): item["msg"] for item in error.errors()}) from error


def _collect(raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Scalar], dict[str, str]]:
    """Sort the caller's fields into facts by field name, bounded details, and reasons for refusal by field name."""
    known: dict[str, Any] = {}
    details: dict[str, Scalar] = {}
    reasons: dict[str, str] = {}
    moments: dict[str, object] = {}
    pairs = list(_flatten(raw, "", _MAX_DEPTH))
    if len(pairs) > _MAX_FIELDS:
        raise FieldsError({"transaction": f"has more than {_MAX_FIELDS} fields"})
    for name, value in sorted(pairs, key=lambda pair: fold_name(pair[0]) not in Transaction.model_fields):
        field = find_field(name)
        if field is None or field.name in known:
            _keep_detail(details, name, value)
        elif field.name in ("timestamp", "date", "time"):
            moments.setdefault(field.name, value)
        else:
            try:
                known |= {k: v for k, v in coerce.read_field(field, value).items() if k not in known}
            except ValueError as error:
                reasons[field.name] = str(error)
            if field.name in ("channel", *coerce.PLACES) and field.name not in known and field.name not in reasons:
                _keep_detail(details, name, value)
    _read_moments(moments, known, reasons)
    return known, details, reasons


def _read_moments(moments: Mapping[str, object], known: dict[str, Any], reasons: dict[str, str]) -> None:
    """Combine timestamp, date and time columns into `timestamp` and `time_of_day`."""
    day: date | None = None
    clock: time | None = None
    for name in ("timestamp", "date", "time"):
        if name not in moments:
            continue
        try:
            stated_day, stated_clock = values.read_moment(moments[name])
        except ValueError as error:
            reasons[name] = str(error)
            continue
        if name == "date" and stated_clock == time(0):
            stated_clock = None  # the padding of a date column, not a time
        day, clock = day or stated_day, stated_clock or clock
    if clock is not None:
        known["time_of_day"] = clock
        if day is not None:
            known["timestamp"] = datetime.combine(day, clock)


def _flatten(value: Mapping[str, Any], prefix: str, depth: int) -> list[tuple[str, Scalar]]:
    """Scalars with the names of their parents: `{"merchant": {"name": "X"}}` gives `merchant_name`."""
    pairs: list[tuple[str, Scalar]] = []
    for key, item in value.items():
        name = f"{prefix}_{key}" if prefix else str(key)
        if isinstance(item, Mapping) and depth > 0:
            inner = "" if name.casefold() in WRAPPERS else name
            pairs += _flatten(cast("Mapping[str, Any]", item), inner, depth - 1)
        elif isinstance(item, bool | int | float) or (isinstance(item, str) and not coerce.is_blank(item)):
            pairs.append((name, item))
        elif isinstance(item, datetime | date | time):
            pairs.append((name, item.isoformat()))
    return pairs


def _keep_detail(details: dict[str, Scalar], name: str, value: Scalar) -> None:
    """Keep a short unknown value, printable and without what identifies a person or gives the answer away."""
    folded = fold_name(name)[:40]
    if isinstance(value, str):
        value = "".join(c if c.isprintable() else " " for c in value).strip()
    short = len(json.dumps(value, ensure_ascii=False)) <= MAX_DETAIL_CHARS
    if folded and short and len(details) < MAX_DETAILS and not is_withheld(name):
        details.setdefault(folded, value)


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "transaction"
