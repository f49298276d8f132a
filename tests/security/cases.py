"""The attacks of `attacks.yaml`, for parametrised tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

FILE = Path(__file__).with_name("attacks.yaml")
ATTACKS: dict[str, list[dict[str, Any]]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def attacks(path: str) -> pytest.MarkDecorator:
    """Run a test with every attack on one path, as its argument `attack`."""
    found = ATTACKS[path]
    return pytest.mark.parametrize("attack", found, ids=[one["id"] for one in found])
