"""The labelled utterances behind the router: `agent/routes.yaml`, loaded and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field

Intent = Literal["question", "extraction", "fraud", "other"]
Split = Literal["train", "validation", "test"]

INTENTS: tuple[Intent, ...] = get_args(Intent)
SPLITS: tuple[Split, ...] = get_args(Split)
NOTHING = "nothing"
DEFAULT_ROUTES = Path(__file__).parents[1] / "routes.yaml"


@dataclass(frozen=True)
class Utterance:
    """One labelled message.

    For some questions `answered_by` names the sample document that answers it, or says `NOTHING` where no sample
    document is about its topic.
    """

    text: str
    intent: Intent
    split: Split
    answered_by: str | None = None


@dataclass(frozen=True)
class Utterances:
    """All utterances with the SHA-256 of the file they came from."""

    rows: Sequence[Utterance]
    sha256: str

    def of(self, split: Split) -> list[Utterance]:
        """The utterances of one split, in the order of the file."""
        return [row for row in self.rows if row.split == split]


class _Answered(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1)
    answered_by: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    utterances: dict[Intent, dict[Split, list[str | _Answered]]]


def load_utterances(path: Path = DEFAULT_ROUTES) -> Utterances:
    """Read and check the file.

    Raises `pydantic.ValidationError` when its shape is wrong and `ValueError` when a class lacks a split or a text
    appears twice.
    """
    content = path.read_bytes()
    parsed = _File.model_validate(yaml.safe_load(content))
    rows = [
        _utterance(entry, intent, split)
        for intent, splits in parsed.utterances.items()
        for split, entries in splits.items()
        for entry in entries
    ]
    _check(rows)
    return Utterances(rows, hashlib.sha256(content).hexdigest())


def _utterance(entry: str | _Answered, intent: Intent, split: Split) -> Utterance:
    if isinstance(entry, str):
        return Utterance(entry, intent, split)
    return Utterance(entry.text, intent, split, entry.answered_by)


def _check(rows: Sequence[Utterance]) -> None:
    present = {(row.intent, row.split) for row in rows}
    if absent := [(intent, split) for intent in INTENTS for split in SPLITS if (intent, split) not in present]:
        raise ValueError(f"no utterances for {absent}")
    seen: set[str] = set()
    for row in rows:
        if row.text in seen:
            raise ValueError(f"utterance appears twice: {row.text!r}")
        seen.add(row.text)
