"""The one-page answer to "tune, prompt or rules?"."""

from __future__ import annotations

from collections.abc import Sequence

from finetune.cost.comparison import Comparison
from finetune.cost.prices import WAYS, Way

_NAMES: dict[Way, str] = {"tuned": "tune", "prompt": "prompt with rules", "rules": "rules only"}


def write_page(found: Comparison) -> str:
    """The comparison in Markdown: the answer first, then what it rests on."""
    volume = found.prices.requests_per_day
    return (
        "\n\n".join(
            [
                "# Tune, prompt or rules?",
                _answer(found),
                f"For {volume:,.0f} requests a day, {found.prices.retrainings_per_year:g} retrainings and "
                f"{found.prices.rule_changes_per_year:g} rule changes a year. All amounts in US dollars.",
                "## One request",
                _requests(found),
                "## The first year",
                _years(found),
                "## Tuning against prompting",
                _break_even(found),
                "## How often can it be trained again?",
                _retraining(found),
                "## Which way, for which volume and change?",
                _grid(found),
                "## What better decisions are worth",
                _quality(found),
            ]
        ).rstrip()
        + "\n"
    )


def _answer(found: Comparison) -> str:
    best = found.best
    known = _known(found)
    costs = {cost.way: cost.total if known else cost.running for cost in found.yearly}
    second = min(cost for way, cost in costs.items() if way != best.way)
    basis = "wrong decisions included" if known else "running costs only: the quality of the three is not all known"
    pays = _pays(found) if best.way == "tuned" else _would_pay(found)
    return (
        f"**{_NAMES[best.way].capitalize()}**: cheapest by {_usd(second - costs[best.way])} in the first year "
        f"({basis}). {pays}"
    )


def _known(found: Comparison) -> bool:
    return all(cost.mistakes is not None for cost in found.yearly)


def _pays(found: Comparison) -> str:
    days = found.break_even.days
    return "" if days is None else f"Tuning has paid for itself against prompting after {_days(days)}."


def _would_pay(found: Comparison) -> str:
    """What would have to change for tuning to be the answer."""
    if found.break_even.requests is None:
        return "A tuned request is not cheaper than a prompted one at these prices, so tuning pays by quality only."
    return (
        f"Tuning pays against prompting from {found.break_even.requests:,} requests on"
        f"{'' if found.break_even.days is None else f', after {_days(found.break_even.days)} at this volume'}."
    )


def _requests(found: Comparison) -> str:
    rows: list[list[str]] = []
    for way, price in found.per_request.items():
        tokens = found.tokens.get(way)
        counts = ["-", "-", "-"] if tokens is None else [str(tokens.input), str(tokens.cached), str(tokens.output)]
        rows.append([_NAMES[way], *counts, f"{price:.6f}", f"{1000 * price:,.2f}"])
    return _table(
        ["", "input tokens", "of them the same every time", "output tokens", "a request", "1,000 requests"], rows
    )


def _years(found: Comparison) -> str:
    """A way whose wrong decisions are not known has no total: it could not be set beside the others'."""
    rows = [
        [
            _NAMES[cost.way],
            *(_usd(part) for part in (cost.one_time, cost.requests, cost.upkeep, cost.running)),
            *(["not known"] * 2 if cost.mistakes is None else [_usd(cost.mistakes), _usd(cost.total)]),
        ]
        for cost in found.yearly
    ]
    return _table(["", "once", "requests", "upkeep", "running costs", "wrong decisions", "total"], rows)


def _break_even(found: Comparison) -> str:
    made = f"Making the adapter costs {_usd(found.one_time)} once."
    even = found.break_even
    if even.requests is None or even.days is None:
        return f"{made} A tuned request is not cheaper, so that is not saved by volume."
    return (
        f"{made} It is saved after {even.requests:,} requests, {_days(even.days)} at this volume; the first year saves "
        f"{_usd(even.first_year)} without retraining."
    )


def _retraining(found: Comparison) -> str:
    rows = [
        [str(row.times), _usd(row.first_year), "never" if row.requests is None else f"{row.requests:,}"]
        for row in found.retraining
    ]
    table = _table(["retrainings a year", "saved against prompting, first year", "break-even (requests)"], rows)
    return f"One retraining costs {_usd(found.retraining_cost)}.\n\n{table}"


def _grid(found: Comparison) -> str:
    changes = list(next(iter(found.answers.values())))
    rows = [
        [f"{volume:,} requests a day", *(_NAMES[way] for way in row.values())] for volume, row in found.answers.items()
    ]
    table = _table(["", *(f"{count} rule change{'' if count == 1 else 's'} a year" for count in changes)], rows)
    return f"Retrainings grow with the changes.\n\n{table}"


def _quality(found: Comparison) -> str:
    quality = found.prices.quality
    missing = [_NAMES[way] for way in WAYS if quality.caught.get(way) is None or quality.false_alarms.get(way) is None]
    unknown = ""
    if missing:
        unknown = (
            f"Not known for: {', '.join(missing)}. What a prompted model decides has to be measured on the same rows, "
            "and its shares put into the price file's `quality`."
        )
    if not found.gains:
        return unknown
    rows = [
        [_NAMES[gain.against], f"{gain.frauds_caught:,.0f}", f"{gain.false_alarms_avoided:,.0f}", _usd(gain.value)]
        for gain in found.gains
    ]
    source = f"Shares from {quality.measured_on}, at" if quality.measured_on else "At"
    basis = (
        f"{source} the assumed {quality.fraud_rate:.1%} of fraud among the requests. Rows that were picked for a test "
        "are not traffic: put your own shares into the price file once you have them."
    )
    table = _table(["tuning against", "more frauds caught a year", "false alarms avoided a year", "worth a year"], rows)
    return "\n\n".join(part for part in (basis, table, unknown) if part)


def _usd(amount: float) -> str:
    return f"{'-' if round(amount) < 0 else ''}{abs(amount):,.0f} USD"


def _days(days: int) -> str:
    return f"{days:,} day{'' if days == 1 else 's'}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
