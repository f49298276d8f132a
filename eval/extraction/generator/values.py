"""A record's values and how a document writes them; distractors, which look like them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from eval.extraction.documents import Scalar
from eval.extraction.generator.forms import (
    DATE_FORMS,
    PROSE_DATES,
    Money,
    sample_money,
    write_duration,
)
from eval.extraction.generator.world import World

Kind = Literal["text", "wording", "date", "moment", "amount", "number", "duration", "currency"]
UNITS = ("days", "months", "years")


@dataclass(frozen=True)
class Value:
    """A value in its normalised form. The data of a `wording` is the grammar's symbol that words it."""

    kind: Kind
    data: Scalar


@dataclass(frozen=True)
class Style:
    """How one document writes its values."""

    money: Money
    date_form: str
    duration_form: str


def sample_style(rng: random.Random, money: Money, world: World, *, prose: bool) -> Style:
    """A style for a document; prose spells its dates out."""
    form = rng.choice(PROSE_DATES if prose else world.date_forms)
    return Style(money, form, rng.choice(("digits", "words", "both")))


def sample_date(rng: random.Random, first: int = 2015, last: int = 2026) -> date:
    """A day in the years `first` to `last`."""
    return date(first, 1, 1) + timedelta(days=rng.randrange((last - first + 1) * 365))


def sample_price(rng: random.Random, low: float, high: float) -> float:
    """A price with cents, small ones likelier."""
    return round(low + (high - low) * rng.random() ** 2, 2)


def write(value: Value, form: str, style: Style, rng: random.Random) -> str:
    """The value as the document writes it; `form` overrides the document's style."""
    if value.kind == "date":
        return _date(date.fromisoformat(str(value.data)), form or style.date_form, rng)
    if value.kind == "moment":
        moment = datetime.fromisoformat(str(value.data))
        clock = f"{moment:%H:%M:%S}"
        return f"{value.data}" if form == "iso" else f"{_date(moment.date(), style.date_form, rng)} {clock}"
    if value.kind == "amount":
        return style.money.write(float(value.data), form)
    if value.kind == "number":
        return f"{float(value.data):g}"
    if value.kind == "duration":
        return write_duration(str(value.data), form or style.duration_form)
    text = str(value.data)
    return _broken(text, rng) if form == "broken" else text.upper() if form == "upper" else text


def _broken(number: str, rng: random.Random) -> str:
    """A number that runs over the end of its line, between two groups."""
    spaces = [place for place, char in enumerate(number) if char == " "]
    place = rng.choice(spaces) if spaces else 4 * rng.randint(1, len(number) // 4 - 1)
    return f"{number[:place]}\n{number[place:].lstrip()}"


def _date(day: date, form: str, rng: random.Random) -> str:
    # Month first in digits is only written where it can be told.
    if form == "slashes" and day.day > 12 and rng.random() < 0.2:
        return f"{day.month:02d}/{day.day:02d}/{day.year}"
    return DATE_FORMS[form](day)


def distractor(kind: str, form: str, style: Style, world: World, rng: random.Random) -> str:
    """Text of a kind: a date, an amount, a duration, a number of digits, an identifier that looks like an IBAN, or an
    entry of one of the world's lists."""
    if kind == "date":
        return write(Value("date", sample_date(rng, 2005, 2034).isoformat()), form, style, rng)
    if kind == "amount":
        return style.money.write(sample_price(rng, 1, 900), form)
    if kind == "foreign_amount":
        return sample_money(rng, world.currencies).write(sample_price(rng, 1, 900), form)
    if kind == "duration":
        unit = rng.choice(UNITS)
        return write_duration(f"{rng.randint(2, 12 if unit == 'years' else 60)} {unit}", form or style.duration_form)
    if kind == "creditor_id":
        country = rng.choice(("DE", "NL", "FR", "ES"))
        return f"{country}{rng.randint(10, 98)}ZZZ{rng.randrange(10**11):011d}"
    if kind == "creditor_reference":
        return f"RF{rng.randint(10, 98)} {rng.randint(1000, 9999)} {rng.randint(1000, 9999)} {rng.randint(1000, 9999)}"
    if kind == "digits":
        return "".join(rng.choice("0123456789") for _ in range(int(form)))
    if kind == "small":
        return str(rng.randint(1, 9))
    maker = {"company": world.company, "person": world.person, "address": world.address, "shop": world.shop,
             "street": world.street, "place": world.place}.get(kind)  # fmt: skip
    return maker(rng) if maker else world.pick(rng, kind)
