"""History features for transactions of a stranger's file: what a customer's earlier rows say about the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tools.fraud.fields import fold_name
from tools.fraud.history import CardHistory, Position, Purchase
from tools.fraud.transaction import Transaction

_COORDINATES = (
    ("merch_lat", "merch_long"),
    ("merchant_lat", "merchant_long"),
    ("lat", "long"),
    ("latitude", "longitude"),
)


def add_history(rows: Sequence[tuple[int, str, Transaction, Mapping[str, Any]]]) -> dict[int, Transaction]:
    """Transactions by row number, with the facts that follow from the same group's earlier rows.

    Each row is (number, group, transaction, record with coordinates). Facts that a row states itself are kept; rows
    without a date stay as they are.
    """
    done: dict[int, Transaction] = {}
    by_group: dict[str, list[tuple[datetime, int, Transaction, Mapping[str, Any]]]] = defaultdict(list)
    for number, group, transaction, record in rows:
        done[number] = transaction
        if transaction.timestamp is not None:
            # Without their zones, so that stamps with and without one can be compared.
            by_group[group].append((transaction.timestamp.replace(tzinfo=None), number, transaction, record))
    for members in by_group.values():
        history = CardHistory()
        for moment, number, transaction, record in sorted(members, key=lambda member: member[:2]):
            facts = history.observe(
                Purchase(
                    moment,
                    transaction.amount,
                    transaction.merchant,
                    transaction.merchant_category,
                    None if transaction.channel in ("ecommerce", "moto") else _position(record),
                )
            )
            absent = {k: v for k, v in vars(facts).items() if v is not None and getattr(transaction, k) is None}
            done[number] = transaction.model_copy(update=absent)
    return done


def _position(record: Mapping[str, Any]) -> Position | None:
    folded = {fold_name(name): value for name, value in record.items()}
    for latitude, longitude in _COORDINATES:
        if latitude in folded and longitude in folded:
            try:
                return Position(float(folded[latitude]), float(folded[longitude]))
            except (TypeError, ValueError):
                return None
    return None
