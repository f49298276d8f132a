"""Notes: documents of kinds that no built-in schema knows, from delivery notes to certificates."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict

from eval.extraction.generator.forms import sample_money
from eval.extraction.generator.generate import Side, WrittenDocument
from eval.extraction.generator.grammar import Writer
from eval.extraction.generator.noise import MISREAD_SHARE, blemish
from eval.extraction.generator.records import MISSING, Record
from eval.extraction.generator.values import Value
from eval.extraction.generator.world import World, load_world

_PROSE_SHARE = 0.4
_MOST_ASIDES = 3


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fact(_Strict):
    """What a note may say: where its value comes from, what schemas call it, and how it is said."""

    value: str | tuple[str, ...]
    names: tuple[str | Mapping[str, str], ...]
    form: tuple[str, ...]
    prose: tuple[str, ...]


class NoteKind(_Strict):
    """A kind of note."""

    titles: tuple[str, ...]
    facts: Mapping[str, Fact]


class Fields(_Strict):
    """A side's file: names of the generator's fields by kind of document, notes, and names of what none says."""

    names: Mapping[str, Mapping[str, tuple[str | Mapping[str, str], ...]]]
    notes: Mapping[str, NoteKind]
    asides: tuple[str, ...]
    foreign: tuple[str | Mapping[str, str], ...]


@cache
def load_fields(side: Side) -> Fields:
    """The names and notes of a side."""
    path = resources.files("eval.extraction.free_fields").joinpath(f"{side}.yaml")
    return Fields.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def write_note(side: Side, seed: int, number: int) -> WrittenDocument:
    """A note of the side, the kinds in turn; about three facts in ten are missing."""
    known = load_fields(side)
    kinds = list(known.notes)
    kind = kinds[number % len(kinds)]
    rng = random.Random(f"{side}/{kind}/{seed}/{number}")
    world = load_world(side)
    facts = known.notes[kind].facts
    values = {
        name: Value("text", _sample(fact.value, world, rng)) for name, fact in facts.items() if rng.random() >= MISSING
    }
    record = Record(list(facts), (), values, sample_money(rng, world.currencies))
    writer = Writer(_grammar(known, known.notes[kind], rng), record, world, rng)
    segments, text = blemish(writer.write(), rng, prose=writer.layout.prose, misread_share=MISREAD_SHARE)
    return WrittenDocument(f"{side}-{kind}-{number}", kind, text, record, segments)


def _sample(value: str | Sequence[str], world: World, rng: random.Random) -> str:
    if not isinstance(value, str):
        return rng.choice(value)
    if value == "code":
        letters = "".join(rng.choice("BCDFGHKLMPRTVW") for _ in range(3))
        return f"{letters} {rng.randint(100, 9999)}"
    if value == "city":
        return world.pick(rng, "cities")
    makers = {"person": world.person, "company": world.company, "street": world.street}
    return makers[value](rng)


def _grammar(known: Fields, kind: NoteKind, rng: random.Random) -> Mapping[str, Sequence[str]]:
    """The kind's facts in any order with asides between them, as lines of a form or as sentences."""
    prose = rng.random() < _PROSE_SHARE
    parts = [f"{{{name}}}" for name in kind.facts]
    parts += rng.sample(known.asides, rng.randint(0, _MOST_ASIDES))
    rng.shuffle(parts)
    title = rng.choice(kind.titles)
    layout = {"prose_note": [f"{title}\n\n{' '.join(parts)}"]} if prose else {"form_note": ["\n".join((title, *parts))]}
    said = {name: [*(fact.prose if prose else fact.form), ""] for name, fact in kind.facts.items()}
    return {**layout, **said}
