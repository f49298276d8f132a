"""What reads the fields of callers' own schemas best: readers, base model, adapter, and readers with either."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eval.extraction.documents import Gold
from eval.extraction.free_fields.cases import FieldCase
from eval.extraction.scoring import count
from eval.extraction.study import Judged, Told, row
from eval.extraction.systems import NoModel, Reading, stands
from tools.extraction import extract, resolve_schema
from tools.extraction.ask import Choice, ask
from tools.extraction.extract import MAX_PROMPT_TOKENS, MIN_CONFIDENCE
from tools.extraction.fields import leaves
from tools.extraction.grounding import locate
from tools.extraction.plan import Open
from tools.extraction.readers.source import Source
from tools.ports import ChatModel

_ORDER = 0
READERS = "readers alone"
PRODUCTS = ("readers, base model", "readers, adapter")
_FIGURES = ("system", "documents", "f1", "precision", "recall", "absent_fields", "made_up", "made_up_rate",
            "not_in_source", "latency_ms")  # fmt: skip


class FieldSystem(Protocol):
    """Reads a document into a caller's schema."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    async def read(self, case: FieldCase) -> Reading:
        """The case's values."""
        ...


@dataclass(frozen=True)
class Product:
    """Readers first, a model for what they leave open."""

    name: str
    model: ChatModel
    max_prompt_tokens: int = MAX_PROMPT_TOKENS

    async def read(self, case: FieldCase) -> Reading:
        """See `FieldSystem`."""
        schema = resolve_schema(case.schema)
        started = time.perf_counter()
        found = await extract(case.document.text, schema, self.model, max_prompt_tokens=self.max_prompt_tokens)
        seconds = time.perf_counter() - started
        values: dict[str, Gold] = {path: one.value for path, one in found.fields.items()}
        unlocated = sum(not stands(one, case.document.text) for one in found.fields.values())
        return Reading(values, unlocated=unlocated, seconds=seconds)


@dataclass(frozen=True)
class ModelAlone:
    """Every field is the model's, with the product's prompt, grounding and least confidence."""

    name: str
    model: ChatModel
    max_prompt_tokens: int = MAX_PROMPT_TOKENS

    async def read(self, case: FieldCase) -> Reading:
        """See `FieldSystem`."""
        source = Source(case.document.text)
        fields = {path: Open(leaf, ()) for path, leaf in leaves(resolve_schema(case.schema).root)}
        started = time.perf_counter()
        reply = await ask(source, fields, self.model, self.max_prompt_tokens)
        seconds = time.perf_counter() - started
        return Reading({path: _grounded(source, choice) for path, choice in reply.choices.items()}, seconds=seconds)


@dataclass(frozen=True)
class Rest:
    """Readers first; a model for every field that they leave empty, whatever words stand in the document."""

    name: str
    readers: FieldSystem
    model: FieldSystem

    async def read(self, case: FieldCase) -> Reading:
        """See `FieldSystem`."""
        first, second = await self.readers.read(case), await self.model.read(case)
        found = {path: value for path, value in first.values.items() if value is not None}
        return Reading({**second.values, **found}, seconds=first.seconds + second.seconds)


@dataclass
class Remembered:
    """A system that reads each document once."""

    system: FieldSystem
    readings: dict[str, Reading] = field(default_factory=dict[str, Reading])

    @property
    def name(self) -> str:
        """See `FieldSystem`."""
        return self.system.name

    async def read(self, case: FieldCase) -> Reading:
        """See `FieldSystem`."""
        if case.document.id not in self.readings:
            self.readings[case.document.id] = await self.system.read(case)
        return self.readings[case.document.id]


def field_systems(base: ChatModel, adapter: ChatModel | None) -> list[FieldSystem]:
    """What is compared."""
    readers = Remembered(Product(READERS, NoModel()))
    systems: list[FieldSystem] = [readers]
    for what, model in (("base model", base), ("adapter", adapter)):
        if model is not None:
            alone = Remembered(ModelAlone(f"{what} alone", model))
            product = Product(f"readers, {what}", model)
            systems += [alone, product, Rest(f"readers, {what} for all the rest", readers, alone)]
    return systems


async def measure(
    systems: Sequence[FieldSystem], cases: Sequence[FieldCase], told: Told, minutes: float | None = None
) -> list[dict[str, Any]]:
    """A row of figures for each corpus and system, as JSON; intervals of 95% are over documents.

    With `minutes`, cases are taken in an order that mixes the corpora until the time is gone; at least one is.
    """
    until = math.inf if minutes is None else time.monotonic() + 60 * minutes
    judged: dict[tuple[str, str], list[Judged]] = {}
    for number, case in enumerate(random.Random(_ORDER).sample(cases, len(cases))):
        if number and time.monotonic() > until:
            break
        told("cases", number, len(cases))
        for system in systems:
            judged.setdefault((case.corpus, system.name), []).append(await _judge(system, case))
    corpora = list(dict.fromkeys(case.corpus for case in cases))
    return [_figures(*key, judged[key]) for key in sorted(judged, key=lambda key: corpora.index(key[0]))]


def _figures(corpus: str, system: str, judged: Sequence[Judged]) -> dict[str, Any]:
    figures = row(corpus, system, judged)
    return {"corpus": corpus, **{name: figures[name] for name in _FIGURES}}


async def _judge(system: FieldSystem, case: FieldCase) -> Judged:
    reading = await system.read(case)
    counts = {path: count(path, gold, reading.values.get(path)) for path, gold in case.document.gold.items()}
    return Judged(case.document, reading, counts)


def _grounded(source: Source, choice: Choice) -> str | None:
    if choice.text is None or choice.probability < MIN_CONFIDENCE:
        return None
    place = locate(source.text, choice.text)
    return None if place is None else " ".join(place.quote.split())


def adapter_wins(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the product is better with the adapter than with the base in every corpus: F1 above the interval of the
    base's, and no more made up."""
    found = {(one["corpus"], one["system"]): one for one in rows}
    pairs = [
        (found[corpus, PRODUCTS[0]], found.get((corpus, PRODUCTS[1]))) for corpus in {one["corpus"] for one in rows}
    ]
    return all(
        tuned is not None
        and tuned["f1"]["value"] > base["f1"]["high"]
        and (tuned["made_up_rate"] or 0) <= (base["made_up_rate"] or 0)
        for base, tuned in pairs
    )
