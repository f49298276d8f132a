"""A card's recent past, one purchase at a time: the facts about a transaction that no single row holds."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

EARTH_RADIUS_KM = 6371.0
USUAL_WINDOW = timedelta(days=180)
_MIN_FOR_USUAL = 3
_MIN_FOR_FIRSTS = 5
_MAX_AMOUNTS = 200


@dataclass(frozen=True)
class Position:
    """A place on earth in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Purchase:
    """What the history needs to know of one purchase. `position` is None for a purchase without a place (online)."""

    moment: datetime
    amount: float
    merchant: str | None = None
    category: str | None = None
    position: Position | None = None


@dataclass(frozen=True)
class HistoryFacts:
    """Facts named as `Transaction`'s fields; None where the past seen so far is too short to say.

    The usual amount is the median of the purchases of the last 180 days. Counts include the purchase itself. For a
    purchase with a place, distance and minutes refer to the last purchase with a place, so that they give a speed.
    """

    customer_usual_amount: float | None
    distance_from_last_km: float | None
    minutes_since_last: float | None
    count_1h: int
    count_24h: int
    count_7d: int
    first_time_merchant: bool | None
    first_time_category: bool | None


@dataclass
class CardHistory:
    """The purchases of one customer or card in time order."""

    amounts: deque[tuple[datetime, float]] = field(default_factory=lambda: deque(maxlen=_MAX_AMOUNTS))
    week: deque[datetime] = field(default_factory=deque[datetime])
    merchants: set[str] = field(default_factory=set[str])
    categories: set[str] = field(default_factory=set[str])
    last: datetime | None = None
    last_place: tuple[datetime, Position] | None = None
    seen: int = 0

    def facts(self, purchase: Purchase) -> HistoryFacts:
        """What the past says of a purchase; raises ValueError where it is older than the last one observed."""
        if self.last is not None and purchase.moment < self.last:
            raise ValueError(f"purchase of {purchase.moment} after one of {self.last}")
        distance, since = self._travel(purchase)
        known = self.seen >= _MIN_FOR_FIRSTS
        return HistoryFacts(
            customer_usual_amount=self._usual(purchase.moment),
            distance_from_last_km=distance,
            minutes_since_last=since,
            count_1h=1 + self._count(purchase.moment, timedelta(hours=1)),
            count_24h=1 + self._count(purchase.moment, timedelta(hours=24)),
            count_7d=1 + self._count(purchase.moment, timedelta(days=7)),
            first_time_merchant=purchase.merchant not in self.merchants if known and purchase.merchant else None,
            first_time_category=purchase.category not in self.categories if known and purchase.category else None,
        )

    def observe(self, purchase: Purchase) -> HistoryFacts:
        """The purchase's facts; from now on it belongs to the past."""
        found = self.facts(purchase)
        self.amounts.append((purchase.moment, purchase.amount))
        self.week.append(purchase.moment)
        while purchase.moment - self.week[0] > timedelta(days=7):
            self.week.popleft()
        self.merchants |= {purchase.merchant} if purchase.merchant else set()
        self.categories |= {purchase.category} if purchase.category else set()
        self.last = purchase.moment
        if purchase.position is not None:
            self.last_place = (purchase.moment, purchase.position)
        self.seen += 1
        return found

    def _usual(self, moment: datetime) -> float | None:
        recent = [amount for when, amount in self.amounts if moment - when <= USUAL_WINDOW]
        return round(median(recent), 2) if len(recent) >= _MIN_FOR_USUAL else None

    def _travel(self, purchase: Purchase) -> tuple[float | None, float | None]:
        """Kilometres and minutes since the last purchase that can be compared."""
        if purchase.position is not None and self.last_place is not None:
            moment, place = self.last_place
            return round(distance_km(place, purchase.position), 1), _minutes(moment, purchase.moment)
        return None, None if self.last is None else _minutes(self.last, purchase.moment)

    def _count(self, moment: datetime, window: timedelta) -> int:
        return sum(1 for earlier in self.week if moment - earlier <= window)


def distance_km(start: Position, end: Position) -> float:
    """Great-circle distance (haversine)."""
    phi1, phi2 = math.radians(start.latitude), math.radians(end.latitude)
    half_lat = (phi2 - phi1) / 2
    half_lon = math.radians(end.longitude - start.longitude) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(chord)))


def _minutes(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds() / 60, 1)
