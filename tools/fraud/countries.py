"""Country names and codes to ISO 3166-1 alpha-2."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path


@cache
def country_names() -> dict[str, str]:
    """Every known spelling, folded, to its alpha-2 code."""
    rows: dict[str, list[str]] = json.loads(Path(__file__).with_name("countries.json").read_text(encoding="utf-8"))
    return {_fold(name): code for code, names in rows.items() for name in [code, *names]}


def country_code(text: str) -> str | None:
    """Alpha-2 code of a country's name or code, or None where it is not known."""
    return country_names().get(_fold(text))


def _fold(text: str) -> str:
    return re.sub(r"[\s.'’-]+", " ", text.replace("&", "and")).strip().casefold()
