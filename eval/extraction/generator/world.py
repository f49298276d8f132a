"""The names of a side's world: companies, people, places, goods."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from eval.extraction.generator.forms import CURRENCIES, TABLE_DATES


@dataclass(frozen=True)
class World:
    """Word lists by name, and names put together from them."""

    words: dict[str, Any]

    def pick(self, rng: random.Random, what: str) -> str:
        """One entry of a list."""
        return rng.choice(self.words[what])

    @property
    def currencies(self) -> Sequence[str]:
        """Currencies in which the side's documents are written."""
        return self.words.get("currencies", CURRENCIES)

    @property
    def date_forms(self) -> Sequence[str]:
        """Ways to write a date outside prose."""
        return self.words.get("date_forms", TABLE_DATES)

    def company(self, rng: random.Random) -> str:
        """A company with its legal form."""
        return f"{self.trade_name(rng)}{rng.choice((' ', ' ', ', '))}{self.pick(rng, 'legal_forms')}"

    def trade_name(self, rng: random.Random) -> str:
        """A company without its legal form."""
        stem = self.pick(rng, "company_stems")
        if rng.random() < 0.25:
            stem = f"{stem} {rng.choice(('&', 'and'))} {self.pick(rng, 'company_stems')}"
        return f"{stem} {self.pick(rng, 'company_trades')}"

    def shop(self, rng: random.Random) -> str:
        """A shop or restaurant."""
        return f"{self.pick(rng, 'shop_stems')} {self.pick(rng, 'shop_trades')}"

    def person(self, rng: random.Random) -> str:
        """First and last name."""
        middle = f" {rng.choice('ABCDEGHJKLMRST')}." if rng.random() < 0.15 else ""
        return f"{self.pick(rng, 'first_names')}{middle} {self.pick(rng, 'last_names')}"

    def street(self, rng: random.Random) -> str:
        """House number and street."""
        return f"{rng.randint(1, 320)} {self.pick(rng, 'streets')}"

    def place(self, rng: random.Random) -> str:
        """Postcode and city in one of the country's ways."""
        city: str = rng.choice(self.words["cities"])
        british = f"{rng.choice('BCGLNS')}{rng.randint(1, 20)} {rng.randint(1, 9)}{rng.choice('ABDE')}X"
        digits = rng.randint(10000, 99999)
        return rng.choice((f"{digits} {city}", f"{city} {digits}", f"{city} {british}"))

    def address(self, rng: random.Random) -> str:
        """Street and place on one line."""
        return f"{self.street(rng)}, {self.place(rng)}"


@cache
def load_world(folder: str) -> World:
    """The word lists of a folder of templates; those of a folder inside another add to the outer one's."""
    outer = dict(load_world(folder.rpartition("/")[0]).words) if "/" in folder else {}
    path = resources.files("eval.extraction.generator").joinpath(f"templates/{folder}/world.yaml")
    return World(outer | yaml.safe_load(path.read_text(encoding="utf-8")))
