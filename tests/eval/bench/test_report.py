from __future__ import annotations

import json
from pathlib import Path

from eval.bench.measures import Figures
from eval.bench.report import TARGETS, write_report


def results(**changed: float) -> dict[str, Figures]:
    """Every figure exactly at its target, but for those that are named `section.figure`."""
    found: dict[str, Figures] = {}
    for section, figure, _, target in TARGETS:
        found.setdefault(section, {})[figure] = changed.get(f"{section}.{figure}", target)
    return found


def test_a_figure_at_its_target_is_met_and_one_beyond_it_is_missed(tmp_path: Path) -> None:
    page = write_report(results(), tmp_path / "bench.json", tmp_path / "page.md")
    assert "missed" not in page
    worse = {"start.ready_s": 8.1, "throughput.chats_per_s": 39.9}
    page = write_report(results(**worse), tmp_path / "bench.json", tmp_path / "page.md")
    missed = [line for line in page.splitlines() if "**missed**" in line]
    assert len(missed) == 2
    assert (tmp_path / "page.md").read_text() == page


def test_earlier_runs_are_kept_and_their_range_is_shown(tmp_path: Path) -> None:
    for rate in (45.7, 38.1, 41.4):
        page = write_report(results(**{"throughput.chats_per_s": rate}), tmp_path / "bench.json", tmp_path / "page.md")
    runs = [json.loads(line) for line in (tmp_path / "bench-runs.jsonl").read_text().splitlines()]
    assert [run["throughput.chats_per_s"] for run in runs] == [45.7, 38.1, 41.4]
    assert json.loads((tmp_path / "bench.json").read_text())["results"]["throughput"]["chats_per_s"] == 41.4
    [line] = [line for line in page.splitlines() if "chats per s" in line and "target" not in line and ">=" in line]
    assert "| 41.4 | >= 40 | met | 38.1 to 45.7 |" in line
