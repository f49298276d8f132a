"""Paired items: a beginning, its right and a wrong continuation, drawn from packaged templates by a seed."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, cast

import yaml

KINDS = ("knowledge", "language", "reasoning", "fraud", "mixed")
GENERAL = ("knowledge", "language", "reasoning")
PER_KIND = 120
_TRIES = 60
_HIGHEST = 20
_SHOWN = 4

Words = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Pair:
    """A beginning with two continuations; both begin where the beginning ends, with their own space."""

    kind: str
    prompt: str
    right: str
    wrong: str


@dataclass(frozen=True)
class Frame:
    """A pair with slots: `{name}` is a drawn word, `{name2}` another of the same list, `{name[field]}` its field."""

    prompt: str
    right: str
    wrong: str

    @property
    def slots(self) -> list[str]:
        """The names of the slots, each once."""
        parts = (name for text in (self.prompt, self.right, self.wrong) for _, name, _, _ in _FORMATTER.parse(text))
        return list(dict.fromkeys(name.partition("[")[0] for name in parts if name))

    def fill(self, kind: str, words: Words, drawn: random.Random) -> Pair:
        """The pair with words drawn for its slots; slots of one list get different words."""
        values: dict[str, Any] = {}
        for slot in self.slots:
            taken = [value for name, value in values.items() if _list(name) == _list(slot)]
            values[slot] = drawn.choice([word for word in words[_list(slot)] if word not in taken])
        return Pair(kind, *(text.format(**values) for text in (self.prompt, self.right, self.wrong)))


_FORMATTER = string.Formatter()


def make_pairs(per_kind: int = PER_KIND, seed: int = 0) -> list[Pair]:
    """At most `per_kind` pairs of every kind, no beginning twice; the same seed gives the same pairs.

    The frames of a kind take turns until all of them have run out of new beginnings.
    """
    words, frames = _templates()
    drawn = random.Random(seed)
    return [pair for kind in KINDS for pair in _draw(kind, frames[kind], words, per_kind, drawn)]


def _draw(kind: str, frames: Sequence[Frame], words: Words, wanted: int, drawn: random.Random) -> Iterator[Pair]:
    seen: set[str] = set()
    open_frames = list(frames)
    while open_frames and len(seen) < wanted:
        for frame in list(open_frames):
            pair = _new(frame, kind, words, seen, drawn)
            if pair is None:
                open_frames.remove(frame)
            elif len(seen) < wanted:
                seen.add(_key(pair))
                yield pair


def _new(frame: Frame, kind: str, words: Words, seen: set[str], drawn: random.Random) -> Pair | None:
    filled = (frame.fill(kind, words, drawn) for _ in range(_TRIES))
    return next((pair for pair in filled if pair.right != pair.wrong and _key(pair) not in seen), None)


def _key(pair: Pair) -> str:
    # The right continuation too: some beginnings, such as "There are many", leave the fact to it.
    return pair.prompt + pair.right


def _list(slot: str) -> str:
    return re.sub(r"\d$", "", slot)


@cache
def _templates() -> tuple[Words, dict[str, list[Frame]]]:
    words: dict[str, Sequence[Any]] = {"sum": _sums(), "series": _series()}
    frames: dict[str, list[Frame]] = {}
    folder = resources.files("finetune.forgetting").joinpath("items")
    for kind in KINDS:
        content = cast("dict[str, Any]", yaml.safe_load(folder.joinpath(f"{kind}.yaml").read_text("utf-8")))
        words.update(content["words"])
        frames[kind] = [Frame(**frame) for frame in content["frames"]]
    return words, frames


def _sums() -> list[dict[str, int]]:
    numbers = range(2, _HIGHEST)
    return [
        {"a": a, "b": b, "total": a + b, "other": a + b + 3, "less": a - 2 if a > 2 else a + 2}
        for a in numbers
        for b in numbers
    ]


def _series() -> list[dict[str, Any]]:
    steps = ((start, step) for start in range(1, _HIGHEST) for step in (1, 2, 5, 10))
    return [
        {
            "shown": ", ".join(str(start + step * at) for at in range(_SHOWN)),
            "next": start + step * _SHOWN,
            "other": start + step * (_SHOWN + 2),
        }
        for start, step in steps
    ]
