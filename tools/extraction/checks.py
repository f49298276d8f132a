"""Cross-field checks of what was read: arithmetic, order of dates, check digits. They warn; they change nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from tools.extraction.proposals import READERS
from tools.extraction.readers.identifiers import iban_like
from tools.extraction.readers.source import Source

_CENT = 0.011
_ORDERED = (("issue_date", "due_date"), ("transaction_date", "letter_date"), ("start_date", "end_date"))


def check(data: Mapping[str, Any], source: Source) -> Sequence[str]:
    """Warnings, each a sentence with the numbers behind it."""
    return [*_line_items(data), *_total(data), *_dates(data), *_ibans(data, source)]


def _number(data: Mapping[str, Any], name: str) -> float | None:
    value = data.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _records(value: Any) -> list[dict[str, Any]]:
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def _line_items(data: Mapping[str, Any]) -> list[str]:
    rows = _records(data.get("line_items"))
    warnings: list[str] = []
    for index, row in enumerate(rows):
        quantity, price, amount = (_number(row, name) for name in ("quantity", "unit_price", "amount"))
        if quantity is not None and price is not None and amount is not None and abs(quantity * price - amount) > _CENT:
            warnings.append(
                f"line_items[{index}]: {quantity:g} x {price:g} is {quantity * price:.2f}, not {amount:.2f}."
            )
    amounts = [_number(row, "amount") for row in rows]
    expected = [value for name in ("subtotal", "total") if (value := _number(data, name)) is not None]
    if amounts and expected and None not in amounts:
        added = sum(amount for amount in amounts if amount is not None)
        if all(abs(added - value) > _CENT for value in expected):
            warnings.append(f"The line items add up to {added:.2f}, not {expected[0]:.2f}.")
    return warnings


def _total(data: Mapping[str, Any]) -> list[str]:
    subtotal, tax, total = (_number(data, name) for name in ("subtotal", "tax", "total"))
    if subtotal is None or tax is None or total is None or abs(subtotal + tax - total) <= _CENT:
        return []
    return [f"Subtotal {subtotal:.2f} and tax {tax:.2f} add up to {subtotal + tax:.2f}, not {total:.2f}."]


def _dates(data: Mapping[str, Any]) -> list[str]:
    pairs = [(first, second) for first, second in _ORDERED if data.get(first) and data.get(second)]
    return [
        f"{second} {data[second]} is before {first} {data[first]}."
        for first, second in pairs
        if str(data[second]) < str(data[first])
    ]


def _ibans(data: Mapping[str, Any], source: Source) -> list[str]:
    if "iban" not in data or data["iban"] is not None or source.read(READERS["iban"]):
        return []
    wrong = [
        found
        for found in source.read(iban_like)
        if "IBAN" in source.text[max(0, found.start - 20) : found.start].upper()
    ]
    return [f"The IBAN {found.value} has wrong check digits and was left out." for found in wrong[:1]]
