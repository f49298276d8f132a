"""A prepared data set: its rows as they are written, and its splits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
SHARES: dict[SplitName, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}


@dataclass(frozen=True)
class Example:
    """One labelled text. `group` (a customer) never occurs in two splits; `number` is the row of the source file.

    `attributes` are further columns of the written row, e.g. `kind`, `scenario`, `band`, `transaction`.
    """

    id: str
    text: str
    label: str
    group: str
    number: int = 0
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])

    def record(self) -> dict[str, Any]:
        """The row as JSON."""
        return {"id": self.id, "text": self.text, "label": self.label, "customer": self.group, **self.attributes}


Splits = dict[SplitName, list[Example]]
