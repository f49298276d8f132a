"""Numbers as the narrative, the flags and the reasoning write them."""

from __future__ import annotations


def money(amount: float, currency: str | None) -> str:
    """An amount for people: "2,400.00 EUR"."""
    return f"{amount:,.2f} {currency}" if currency else f"{amount:,.2f}"


def span(minutes: float) -> str:
    """A duration in the largest unit that keeps it above one: "20 minutes", "3.5 hours", "2 days"."""
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size or size == 1:
            return plural(minutes / size, unit)
    raise AssertionError("unreachable")


def plural(number: float, unit: str) -> str:
    """A number with its unit: "1 day", "3.5 hours"."""
    shown = short(number)
    return f"{shown} {unit}" if shown == "1" else f"{shown} {unit}s"


def short(number: float) -> str:
    """A number with one decimal below ten and none above, without a needless ".0": "53", "2.4", "3"."""
    return f"{number:.0f}" if abs(number) >= 9.95 else f"{number:.1f}".removesuffix(".0")
