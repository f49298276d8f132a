"""The attacks as data: enough of them, of every kind, and the page about them names what exists."""

from __future__ import annotations

import re
from pathlib import Path

from tests.security.cases import ATTACKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
ALL = [attack for path in ATTACKS.values() for attack in path]
FAMILIES = {
    *("direct injection", "indirect injection", "delimiter escape", "role confusion", "hidden text", "tool misuse"),
    *("names and titles", "image exfiltration", "link exfiltration", "active HTML", "system prompt extraction"),
    *("encoded input", "encoded output", "unbounded consumption", "misinformation", "fraud narrative"),
    *("cross-tenant ids", "path traversal"),
}


def test_there_are_enough_attacks_of_every_kind() -> None:
    assert len(ALL) >= 60
    assert len({attack["id"] for attack in ALL}) == len(ALL)
    assert {attack["family"] for attack in ALL} == FAMILIES


def test_every_path_has_a_test_that_replays_it() -> None:
    tests = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert not [path for path in ATTACKS if f'@attacks("{path}")' not in tests]


def test_the_page_has_a_row_for_every_item() -> None:
    rows = re.findall(r"^\| (LLM\d\d) .+$", PAGE, re.MULTILINE)
    assert rows == [f"LLM{number:02d}" for number in range(1, 11)]
    assert {attack["owasp"] for attack in ALL} <= set(rows)


def test_the_page_names_what_exists() -> None:
    named = re.findall(r"`([a-z_.]+/[\w./-]+)`", PAGE)
    assert len(named) > 40
    assert not [name for name in named if not (ROOT / name).exists()]


def test_every_item_of_the_page_is_shown_by_tests() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| LLM")]
    assert all("`tests/" in row.strip("| ").split(" | ")[3] for row in rows)
