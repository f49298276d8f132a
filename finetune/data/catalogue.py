"""What can be bought in the simulated world: categories, their channels and price levels, and merchants' names."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tools.fraud.transaction import Channel


@dataclass(frozen=True)
class Category:
    """A kind of merchant. `share` is the typical price as a multiple of the customer's usual amount, `weight` how
    often people go there, `nouns` the last words of its merchants' names."""

    name: str
    channels: tuple[Channel, ...]
    share: float
    weight: float
    nouns: tuple[str, ...]


CATEGORIES: tuple[Category, ...] = (
    Category("grocery", ("contactless", "pos"), 0.9, 8, ("Market", "Grocers", "Pantry", "Foodhall", "Greengrocer")),
    Category("restaurant", ("contactless", "pos"), 0.8, 5, ("Kitchen", "Bistro", "Noodles", "Tavern", "Cafe")),
    Category("fuel", ("pos", "contactless"), 1.3, 2, ("Fuel", "Service Station", "Petrol", "Filling Point")),
    Category("transport", ("contactless",), 0.2, 4, ("Tram", "Buses", "Metro", "Taxi")),
    Category("pharmacy", ("contactless", "pos"), 0.6, 2, ("Pharmacy", "Chemist", "Apothecary")),
    Category("clothing", ("pos", "ecommerce"), 1.8, 2, ("Outfitters", "Tailors", "Shoes", "Knitwear")),
    Category("subscription", ("ecommerce",), 0.4, 2, ("Music", "Magazines", "Video Club", "Cloud")),
    Category("books", ("ecommerce", "pos"), 0.6, 1, ("Books", "Bookshop", "Stationers")),
    Category("travel", ("ecommerce", "moto"), 4.0, 1, ("Rail", "Ferries", "Airways", "Coach Lines")),
    Category("hotel", ("pos", "ecommerce"), 4.5, 0.5, ("Hotel", "Guesthouse", "Lodge", "Inn")),
    Category("home improvement", ("pos", "ecommerce"), 2.2, 1, ("Hardware", "Timber", "Tiles", "Garden Centre")),
    Category("electronics", ("ecommerce", "pos"), 5.0, 0.7, ("Electronics", "Computers", "Handsets", "Audio")),
    Category("jewellery", ("pos", "ecommerce"), 5.0, 0.2, ("Jewellers", "Watches", "Goldsmith")),
    Category("online retail", ("ecommerce",), 1.2, 4, ("Store", "Outlet", "Bazaar", "Parcel Shop")),
    Category("digital goods", ("ecommerce",), 0.4, 1, ("Apps", "Downloads", "Game Keys", "Top-ups")),
    Category("gift vouchers", ("ecommerce",), 1.2, 0.2, ("Vouchers", "Gift Cards")),
    Category("money transfer", ("ecommerce", "pos"), 3.0, 0.2, ("Remit", "Transfers", "Money Point")),
    Category("health", ("pos", "moto"), 2.0, 0.7, ("Dental", "Clinic", "Opticians")),
    Category("cash", ("atm",), 2.0, 2, ("ATM", "Cash Point")),
)
BY_NAME = {category.name: category for category in CATEGORIES}

_FIRST = (
    "Alder Amber Anchor Ashgrove Aurora Bayleaf Beacon Birch Bluebell Bramble Bridgeway Brindle Candle Cedar Chalk "
    "Clover Compass Coral Cornerstone Crescent Dahlia Damson Drift Ebony Elmfield Ember Falcon Fern Finch Flint "
    "Foxglove Garnet Gable Ginger Goldcrest Granite Hazel Heron Hollow Indigo Iris Ivory Jasper Juniper Kestrel "
    "Kingfisher Lantern Larch Lilac Linden Magpie Maple Marble Marlow Meadow Mistral Moss Nettle Northgate Oak Olive "
    "Opal Orchard Osprey Otter Pebble Peregrine Plover Poplar Quarry Quill Raven Redwood Ripple Rowan Saffron Sable "
    "Sandpiper Sienna Silver Sparrow Spruce Stonebridge Sundial Swallow Tamarind Teal Thornbury Tidal Umber Vale "
    "Verbena Violet Walnut Waypoint Willow Windmill Wren Yarrow Zinnia"
).split()
_SECOND = ("", "& Co", "& Daughters", "House", "Lane", "Brothers", "Street", "Corner", "Yard", "Quay")


def merchant_names(rng: random.Random, shares: Sequence[int]) -> list[list[tuple[str, str]]]:
    """Disjoint lists of (category, name), `shares[i]` names of every category in list i."""
    lists: list[list[tuple[str, str]]] = [[] for _ in shares]
    for category in CATEGORIES:
        names: dict[str, None] = {}
        while len(names) < sum(shares):
            words = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {rng.choice(category.nouns)}".split()
            names[" ".join(words)] = None
        unused = iter(names)
        for names_of_split, share in zip(lists, shares, strict=True):
            names_of_split += [(category.name, next(unused)) for _ in range(share)]
    return lists


def pick_category(rng: random.Random, names: Sequence[str]) -> Category:
    """A category of those named, by how often people go there."""
    chosen = [BY_NAME[name] for name in names]
    return rng.choices(chosen, [category.weight for category in chosen])[0]
