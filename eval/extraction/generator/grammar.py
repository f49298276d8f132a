"""Templates: a grammar whose symbols expand to text with slots for a record's values.

In an alternative, `{symbol}` expands to one of the symbol's alternatives, `<field>` is a value of the record (which
makes it gold) and `[kind]` is a value of that kind that is not (a distractor). `{*rows:symbol}` expands the symbol
once for each of the record's rows, always in the same alternative. `<field|form>` and `[kind|form]` name a form of
writing, `<field||>12` pads to a width. An alternative with a field that the record lacks is never chosen; one without
fields is chosen only where none with fields is left.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import yaml

from eval.extraction.documents import Scalar
from eval.extraction.generator.records import Record, Value
from eval.extraction.generator.values import Style, distractor, sample_style, write
from eval.extraction.generator.world import World

_TOKEN = re.compile(
    r"\{(?:\*(?P<rows>\w+):)?(?P<symbol>\w+)\}"
    r"|<(?P<field>[a-z_0-9]+(?:\.[a-z_]+)?)(?:\|(?P<form>\w*))?(?:\|(?P<align>[<>]\d+))?>"
    r"|\[(?P<kind>[a-z_]+)(?:\|(?P<other>\w+))?\]"
)
Grammar = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Segment:
    """A piece of text. A `field`'s value is `value`, or where that is None the text itself; `row` numbers records."""

    text: str
    field: str | None = None
    value: Scalar | None = None
    row: int | None = None


@dataclass(frozen=True)
class Layout:
    """A kind of page: `prose` is wrapped at any width, other layouts keep their lines; some are all in `capitals`."""

    name: str
    prose: bool
    capitals: bool


@cache
def load_grammar(folder: str, kind: str) -> Grammar:
    """The grammar of a kind of document in a folder of templates; symbols that begin with `prose` or `form` are its
    layouts, those with `_caps_` in their names all in capitals."""
    path = resources.files("eval.extraction.generator").joinpath(f"templates/{folder}/{kind}.yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


class Writer:
    """Writes one document about one record."""

    def __init__(self, grammar: Grammar, record: Record, world: World, rng: random.Random) -> None:
        self._grammar, self._record, self._world, self._rng = grammar, record, world, rng
        self._chosen: dict[str, str | None] = {}
        layouts = [name for name in grammar if name.startswith(("prose", "form"))]
        name = rng.choice(layouts)
        self.layout = Layout(name, prose=name.startswith("prose"), capitals="_caps_" in name)
        self._style: Style = sample_style(rng, record.money, world, prose=self.layout.prose)

    def write(self) -> Sequence[Segment]:
        """The document's segments in order; lines that came out empty are left out."""
        segments = _without_empty_lines(self._expand(self.layout.name))
        return [replace(one, text=one.text.upper()) for one in segments] if self.layout.capitals else segments

    def _expand(self, symbol: str, row: int | None = None) -> list[Segment]:
        chosen = self._choose(symbol, row)
        return [] if chosen is None else self._fill(chosen, row)

    def _choose(self, symbol: str, row: int | None) -> str | None:
        """An alternative; in rows and for symbols that end in `_style` the same one every time."""
        fixed = row is not None or symbol.endswith("_style")
        if fixed and symbol in self._chosen:
            return self._chosen[symbol]
        alternatives = self._grammar[symbol]
        telling = [text for text in alternatives if _fields(text)]
        possible = [text for text in telling if all(self._value(name, row) is not None for name in _fields(text))]
        silent = [text for text in alternatives if text not in telling]
        pool = possible or silent
        chosen = self._rng.choice(pool) if pool else None
        if fixed:
            self._chosen[symbol] = chosen
        return chosen

    def _fill(self, text: str, row: int | None) -> list[Segment]:
        segments: list[Segment] = []
        position = 0
        for match in _TOKEN.finditer(text):
            if match.start() > position:
                segments.append(Segment(text[position : match.start()]))
            position = match.end()
            segments += self._token(match, row)
        return [*segments, Segment(text[position:])]

    def _token(self, match: re.Match[str], row: int | None) -> list[Segment]:
        if match["rows"]:
            return [part for number in range(len(self._record.rows)) for part in self._expand(match["symbol"], number)]
        if match["symbol"]:
            return self._expand(match["symbol"], row)
        if match["kind"]:
            other = Segment(distractor(match["kind"], match["other"] or "", self._style, self._world, self._rng))
            return [other, *self._mark(match["kind"], match["other"])]
        return self._slot(match, row)

    def _slot(self, match: re.Match[str], row: int | None) -> list[Segment]:
        name = match["field"]
        value = self._value(name, row)
        assert value is not None
        if value.kind == "wording":
            text = "".join(part.text for part in self._expand(str(value.data)))
        else:
            text = write(value, match["form"] or "", self._style, self._rng)
        field, number = _path(name, row)
        gold = value.data if value.kind in ("date", "amount", "number", "duration", "currency", "moment") else None
        segment = Segment(text, field, gold, number)
        marks = self._mark(value.kind, match["form"])
        padding = " " * max(0, int(match["align"][1:]) - len(text)) if match["align"] else ""
        if match["align"] and match["align"][0] == ">":
            return [Segment(padding), segment, *marks]
        return [segment, *marks, Segment(padding)]

    def _mark(self, kind: str, form: str | None) -> list[Segment]:
        """An amount that is written with its mark says what the currency is."""
        money = self._record.money
        told = kind == "amount" and form != "plain" and money.mark
        return [Segment("", "currency", money.currency)] if told else []

    def _value(self, name: str, row: int | None) -> Value | None:
        if name.startswith("item."):
            assert row is not None
            return self._record.rows[row].get(name.removeprefix("item."))
        return self._record.values.get(name)


def _fields(text: str) -> list[str]:
    return [match["field"] for match in _TOKEN.finditer(text) if match["field"]]


def _path(name: str, row: int | None) -> tuple[str, int | None]:
    """The path of a slot in the schema: `party2.name` is a cell of `parties[].name`, for instance."""
    if name.startswith("item."):
        return f"line_items[].{name.removeprefix('item.')}", row
    if party := re.fullmatch(r"party(\d)\.(\w+)", name):
        return f"parties[].{party[2]}", int(party[1])
    return name, None


def _without_empty_lines(segments: Sequence[Segment]) -> list[Segment]:
    """Blank lines left by symbols that expanded to nothing are closed up: at most one blank line in a row."""
    kept: list[Segment] = []
    tail = "\n\n"
    for segment in segments:
        text = segment.text
        if segment.field is None:
            joined = re.sub(r"\n{3,}", "\n\n", tail + text)
            text = joined[len(tail) :]
        if text or segment.field:
            kept.append(replace(segment, text=text))
            tail = (tail + text)[-2:]
            tail = tail if tail.strip("\n") == "" else tail[-1:] if tail.endswith("\n") else ""
    return kept
