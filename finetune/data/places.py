"""The map of the simulated world: cities with coordinates, countries with currencies and time differences."""

from __future__ import annotations

from dataclasses import dataclass

from tools.fraud.history import Position

HOME_REGION = frozenset({"IE", "FR", "DE", "ES", "NL", "PT", "IT", "BE", "AT"})


@dataclass(frozen=True)
class City:
    """A city; `currency` is what terminals there charge, `clock` its hours ahead of Dublin."""

    name: str
    country: str
    currency: str
    position: Position
    clock: int


def _city(name: str, country: str, currency: str, latitude: float, longitude: float) -> City:
    return City(name, country, currency, Position(latitude, longitude), round(longitude / 15))


HOMES = (
    _city("Dublin", "IE", "EUR", 53.35, -6.26), _city("Cork", "IE", "EUR", 51.90, -8.47),
    _city("Galway", "IE", "EUR", 53.27, -9.05), _city("Limerick", "IE", "EUR", 52.66, -8.63),
    _city("Lyon", "FR", "EUR", 45.76, 4.84), _city("Nantes", "FR", "EUR", 47.22, -1.55),
    _city("Lille", "FR", "EUR", 50.63, 3.06), _city("Leipzig", "DE", "EUR", 51.34, 12.37),
    _city("Bremen", "DE", "EUR", 53.08, 8.80), _city("Mainz", "DE", "EUR", 49.99, 8.25),
    _city("Valencia", "ES", "EUR", 39.47, -0.38), _city("Bilbao", "ES", "EUR", 43.26, -2.93),
    _city("Utrecht", "NL", "EUR", 52.09, 5.12), _city("Leiden", "NL", "EUR", 52.16, 4.49),
)  # fmt: skip
ABROAD = (
    _city("Porto", "PT", "EUR", 41.15, -8.61), _city("Bologna", "IT", "EUR", 44.49, 11.34),
    _city("Ghent", "BE", "EUR", 51.05, 3.72), _city("Graz", "AT", "EUR", 47.07, 15.44),
    _city("London", "GB", "GBP", 51.51, -0.13), _city("New York", "US", "USD", 40.71, -74.01),
    _city("Toronto", "CA", "CAD", 43.65, -79.38), _city("Osaka", "JP", "JPY", 34.69, 135.50),
    _city("Sydney", "AU", "AUD", -33.87, 151.21), _city("Recife", "BR", "BRL", -8.05, -34.88),
    _city("Bangkok", "TH", "THB", 13.76, 100.50), _city("Durban", "ZA", "ZAR", -29.86, 31.02),
    _city("Jakarta", "ID", "IDR", -6.21, 106.85), _city("Puebla", "MX", "MXN", 19.04, -98.21),
)  # fmt: skip
