"""A chunk's metadata as plain words, so that one index answers every filter."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

LABELS = "labels"
"""The field of a stored point that holds them."""


def labels(metadata: Mapping[str, Any]) -> list[str]:
    """The labels of all that `metadata` says: nested keys joined by dots, each member of a list on its own."""
    return sorted({label(key, value) for key, value in _leaves("", metadata)})


def label(key: str, value: str | int | float | bool | None) -> str:
    """What a chunk carries whose metadata has `value` under `key`: 1, true and "1" are three different things."""
    return f"{key}={json.dumps(value, ensure_ascii=False)}"


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, Any]", value).items():
            yield from _leaves(f"{path}.{key}" if path else key, inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _leaves(path, inner)
    else:
        yield path, value
