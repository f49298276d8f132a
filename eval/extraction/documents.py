"""A document with what is to be read out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Scalar = str | float
Gold = Scalar | None | tuple[Scalar, ...]
"""A field's value: dates in ISO 8601, durations as `N unit`; None where the document does not say; a tuple of the
values in a column of records (`parties[].name`), in any order."""


@dataclass(frozen=True)
class LabelledDocument:
    """A text of one kind with its gold values by path; `group` names what it shares with others, for intervals."""

    id: str
    schema: str
    text: str
    gold: Mapping[str, Gold]
    group: str
