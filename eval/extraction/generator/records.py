"""Records: what a document of each kind is about. About three fields in ten are missing."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from stdnum import iban as iban_number

from eval.extraction.generator.forms import Money, sample_money
from eval.extraction.generator.values import Value, sample_date, sample_price
from eval.extraction.generator.world import World
from tools.extraction.fields import Leaf, Repeated
from tools.extraction.schemas import resolve_schema

MISSING = 0.3
_RARELY = 0.1


@dataclass(frozen=True)
class Record:
    """Values by slot; `fields` and `columns` are the paths of the schema that are scored."""

    fields: Sequence[str]
    columns: Sequence[str]
    values: Mapping[str, Value]
    money: Money
    rows: Sequence[Mapping[str, Value]] = field(default_factory=list[Mapping[str, Value]])


def _record(
    kind: str,
    rng: random.Random,
    values: Mapping[str, Value],
    money: Money,
    *,
    sure: Sequence[str] = (),
    likely: Sequence[str] = (),
    rows: Sequence[Mapping[str, Value]] = (),
) -> Record:
    """Drop fields at random: `sure` ones never, `likely` ones rarely."""
    kept = {name: value for name, value in values.items()
            if name in sure or rng.random() >= (_RARELY if name in likely else MISSING)}  # fmt: skip
    members = resolve_schema(kind).root.members
    fields = [name for name, node in members.items() if isinstance(node, Leaf)]
    columns = [f"{name}[].{cell}" for name, node in members.items() if isinstance(node, Repeated)
               for cell in getattr(node.item, "members", {})]  # fmt: skip
    return Record(fields, columns, kept, money, rows)


def _text(data: str) -> Value:
    return Value("text", data)


def _wording(symbol: str) -> Value:
    return Value("wording", symbol)


def _contract(rng: random.Random, world: World) -> Record:
    values = {
        "title": _text(world.pick(rng, "contract_titles")),
        "effective_date": Value("date", sample_date(rng).isoformat()),
        "term": Value("duration", rng.choice(("1 year", "2 years", "3 years", "5 years", "10 years", "7 years",
                                              "6 months", "12 months", "18 months", "24 months", "36 months"))),
        "renewal": _wording("renewal_wording"),
        "termination_notice": Value("duration", rng.choice(("30 days", "60 days", "90 days", "14 days", "45 days",
                                                            "3 months", "6 months", "2 months"))),
        "liability_cap": _wording("liability_wording"),
        "governing_law": _text(world.pick(rng, "laws")),
    }  # fmt: skip
    roles = world.pick(rng, "role_pairs").split(" / ")
    for number, role in enumerate(roles, 1):
        values[f"party{number}.name"] = _text(world.company(rng))
        values[f"party{number}.role"] = _text(role)
    sure = [name for name in values if name.startswith("party")]
    return _record("contract", rng, values, sample_money(rng, world.currencies), sure=sure, likely=("title",))


def _lines(rng: random.Random, world: World, goods: str, highest: float) -> list[dict[str, Value]]:
    rows: list[dict[str, Value]] = []
    for description in rng.sample(world.words[goods], rng.randint(1, 6)):
        quantity = rng.choice((1, 1, 1, 2, 2, 3, 4, 5, 10, 12))
        price = sample_price(rng, 0.8, highest)
        rows.append({"description": _text(description), "quantity": Value("number", float(quantity)),
                     "unit_price": Value("amount", price),
                     "amount": Value("amount", round(price * quantity, 2))})  # fmt: skip
    return rows


def _sum(rows: Sequence[Mapping[str, Value]]) -> float:
    return round(sum(float(row["amount"].data) for row in rows), 2)


def _invoice(rng: random.Random, world: World) -> Record:
    rows = _lines(rng, world, "services", 1800)
    money = sample_money(rng, world.currencies)
    subtotal = _sum(rows)
    tax = round(subtotal * rng.choice((0.05, 0.07, 0.19, 0.2, 0.21, 0.25)), 2)
    issued = sample_date(rng)
    values = {
        "invoice_number": _text(_reference(rng)),
        "issue_date": Value("date", issued.isoformat()),
        "due_date": Value("date", (issued + timedelta(days=rng.choice((7, 14, 21, 30, 45, 60)))).isoformat()),
        "supplier": _text(world.company(rng)),
        "customer": _text(world.company(rng)),
        "currency": Value("currency", money.currency),
        "subtotal": Value("amount", subtotal),
        "tax": Value("amount", tax),
        "total": Value("amount", round(subtotal + tax, 2)),
        "iban": _text(_iban(rng)),
    }
    likely = ("supplier", "customer", "total", "issue_date", "invoice_number")
    return _record("invoice", rng, values, money, likely=likely, rows=rows)


def _receipt(rng: random.Random, world: World) -> Record:
    rows = _lines(rng, world, "goods", 40)
    money = sample_money(rng, world.currencies)
    values = {
        "company": _text(world.shop(rng) if rng.random() < 0.5 else world.company(rng)),
        "date": Value("date", sample_date(rng).isoformat()),
        "address": _text(world.address(rng)),
        "total": Value("amount", _sum(rows)),
        "currency": Value("currency", money.currency),
        "payment_method": _text(rng.choice(world.words["payment_methods"])),
    }
    return _record("receipt", rng, values, money, likely=("company", "total", "date"), rows=rows)


def _dispute_letter(rng: random.Random, world: World) -> Record:
    money = sample_money(rng, world.currencies)
    spent = sample_date(rng)
    values = {
        "customer_name": _text(world.person(rng)),
        "card_last4": _text(f"{rng.randint(0, 9999):04d}"),
        "transaction_date": Value("date", spent.isoformat()),
        "amount": Value("amount", sample_price(rng, 4, 2500)),
        "currency": Value("currency", money.currency),
        "merchant": _text(world.shop(rng)),
        "reason": _wording("reason_wording"),
        "requested_action": _wording("request_wording"),
        "letter_date": Value("date", (spent + timedelta(days=rng.randint(2, 60))).isoformat()),
    }
    return _record("dispute_letter", rng, values, money, likely=("merchant", "amount"))


def _transaction(rng: random.Random, world: World) -> Record:
    money = sample_money(rng, world.currencies)
    moment = datetime.combine(sample_date(rng), time(rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)))
    city, country = rng.choice(world.words["towns"]).split(", ")
    values = {
        "transaction_id": _text(_reference(rng)),
        "timestamp": Value("moment", moment.isoformat()),
        "amount": Value("amount", sample_price(rng, 1, 3000)),
        "currency": Value("currency", money.currency),
        "merchant": _text(world.shop(rng)),
        "merchant_category": _text(world.pick(rng, "categories")),
        "channel": _text(world.pick(rng, "channels")),
        "country": _text(country),
        "city": _text(city),
        "customer_id": _text(f"{rng.choice(('C', 'CU', 'K'))}-{rng.randint(1000, 99999)}"),
    }
    return _record("transaction", rng, values, money, likely=("amount", "merchant"))


def _reference(rng: random.Random) -> str:
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(4, 8)))
    letters = "".join(rng.choice("ABCDEFGHKLMNPRSTVW") for _ in range(rng.randint(2, 3)))
    return rng.choice((digits, f"{letters}-{digits}", f"{letters}{digits}", f"{rng.randint(2015, 2026)}/{digits}",
                       f"{letters}-{rng.randint(15, 26)}-{digits[:4]}"))  # fmt: skip


def _iban(rng: random.Random) -> str:
    country, letters, digits = rng.choice((("DE", "", 18), ("NL", "KRMB", 10), ("IE", "FNDL", 14), ("GB", "QWRT", 14)))
    account = letters + "".join(rng.choice("0123456789") for _ in range(digits))
    number = f"{country}{iban_number.calc_check_digits(f'{country}00{account}')}{account}"
    grouped = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    return rng.choice((number, grouped))


SAMPLERS: Mapping[str, Callable[[random.Random, World], Record]] = {
    "contract": _contract,
    "invoice": _invoice,
    "receipt": _receipt,
    "dispute_letter": _dispute_letter,
    "transaction": _transaction,
}
