from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from finetune.errors import RowsError
from finetune.evaluation.explanations import RUBRIC
from finetune.evaluation.page import publish, write_page

Report = Callable[..., Path]


def test_a_report_with_rows_is_shown_with_its_plots(make_report: Report, tmp_path: Path) -> None:
    report, out = make_report(), tmp_path / "docs" / "results.md"
    (tmp_path / "bars.yaml").write_text("mine:\n  - {metric: [mcc], kind: required, at_least: 0.1, because: chance}\n")
    publish([report], out)
    page = out.read_text()
    for name in ("roc", "precision-recall", "reliability", "threshold-cost", "confusion"):
        assert f"(images/results/mine/{name}.png)" in page
        assert (out.parent / f"images/results/mine/{name}.png").is_file()
    assert "the adapter is ahead of the majority class" in page
    assert "required: at least 0.1 (chance)" in page


def test_a_report_without_rows_shows_the_plots_that_are_there(make_report: Report, tmp_path: Path) -> None:
    report, out = make_report(rows=False), tmp_path / "docs" / "results.md"
    publish([report], out)
    assert ".png" not in out.read_text()
    pictures = out.parent / "images/results/mine"
    pictures.mkdir(parents=True)
    (pictures / "roc.png").touch()
    publish([report], out)
    assert out.read_text().count(".png") == 1


def test_explanations_name_their_scenarios_or_that_an_older_rule_judged_them(
    make_report: Report, tmp_path: Path
) -> None:
    path = make_report()
    report = json.loads(path.read_text())
    judged = {"judged": 4, "true": 1.0, "complete": 1.0, "readable": 1.0, "flags_found": 0.5, "flags_spared": None}
    path.write_text(json.dumps({**report, "explanations": judged}))
    assert "judged when only a reason's numbers were checked" in write_page([path], tmp_path)
    newer = {**judged, "rubric": RUBRIC, "flags_by_scenario": {"stolen_card": {"rows": 8, "found": 0.5}}}
    path.write_text(json.dumps({**report, "explanations": newer}))
    page = write_page([path], tmp_path)
    assert "only a reason's numbers" not in page
    assert "over 1 scenario: stolen card 0.500 of 8" in page


def test_another_file_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(RowsError, match="no report"):
        publish([tmp_path / "x.json"], tmp_path / "page.md")
