from __future__ import annotations

import json

import pytest

from eval.cases import REPOSITORY
from eval.knowledge_bench.page import TARGETS, Parts, Target, knowledge_page

MACHINE = {"date": "2026-11-23", "machine": "2 cores"}


def parts(**changed: float) -> Parts:
    """Every figure at its target, but for those that are named."""
    found: Parts = {}
    for target in TARGETS:
        part = found.setdefault(target.part, {"figures": {}, "machine": MACHINE})
        part["figures"][target.figure] = changed.get(target.figure, target.limit)
    return found


def test_a_figure_at_its_target_is_met_and_one_beyond_it_is_missed() -> None:
    assert "**missed**" not in knowledge_page(parts())
    page = knowledge_page(parts(peak_mb=1025, share_of_fastembed=0.84))
    assert [line.split(" | ")[1] for line in page.splitlines() if "**missed**" in line] == ["0.84", "1025", "1025"]


def test_what_was_not_measured_is_left_out() -> None:
    page = knowledge_page({"search": parts()["search"]})
    assert "## A search among 20,000 passages" in page
    assert "10,000 documents" not in page


@pytest.mark.parametrize(("comparison", "met"), [("<=", (True, True, False)), (">=", (False, True, True))])
def test_targets_include_their_limit(comparison: str, met: tuple[bool, ...]) -> None:
    target = Target("part", "figure", "<=" if comparison == "<=" else ">=", 2.0)
    assert tuple(target.is_met(value) for value in (1.9, 2.0, 2.1)) == met


def test_the_page_shows_the_result_file() -> None:
    stored: Parts = json.loads((REPOSITORY / "docs/results/knowledge-bench.json").read_text("utf-8"))
    assert (REPOSITORY / "docs/knowledge-benchmarks.md").read_text("utf-8") == knowledge_page(stored)
