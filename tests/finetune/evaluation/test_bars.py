from __future__ import annotations

from pathlib import Path

import pytest

from finetune.errors import RowsError
from finetune.evaluation.bars import Bar, bars_table, read_bars

REPORT = {"pr_auc": 0.8, "ece": 0.02, "parse_failures": 0, "intervals": {"pr_auc": [0.72, 0.87]},
          "slices": {"kind=company": {"accuracy": 1.0}}}  # fmt: skip


@pytest.mark.parametrize(
    ("bar", "said"),
    [
        ({"metric": ["pr_auc"], "at_least": 0.7}, "required: at least 0.7 | 0.800 (0.720 to 0.870) | reached |"),
        ({"metric": ["pr_auc"], "at_least": 0.733, "because": "the amount alone"},
         "at least 0.733 (the amount alone) | 0.800 (0.720 to 0.870) | reached; the bar lies within the interval |"),
        ({"metric": ["pr_auc"], "at_least": 0.857}, "| not reached; the bar lies within the interval |"),
        ({"metric": ["pr_auc"], "at_least": 0.9}, "| not reached |"),
        ({"metric": ["ece"], "at_most": 0.05}, "required: at most 0.05 | 0.020 | reached |"),
        ({"metric": ["parse_failures"], "at_most": 0}, "at most 0 | 0 | reached |"),
        ({"metric": ["slices", "kind=company", "accuracy"], "at_least": 0.95}, "| 1.000 | reached |"),
        ({"metric": ["slices", "kind=other", "accuracy"], "at_least": 0.95}, "| not measured |  |"),
    ],
)  # fmt: skip
def test_a_bar_says_what_was_asked_and_whether_it_is_reached(bar: dict[str, object], said: str) -> None:
    assert said in Bar.model_validate({"kind": "required", **bar}).line(REPORT)


def test_bars_are_read_by_report_and_mistakes_are_named(tmp_path: Path) -> None:
    assert read_bars(tmp_path) == {}
    (tmp_path / "bars.yaml").write_text("mine:\n  - {metric: [mcc], kind: aim, at_least: 0.6}\n")
    (bar,) = read_bars(tmp_path)["mine"]
    assert bars_table([bar], REPORT)[-2].startswith("| mcc | aim: at least 0.6 |")
    assert bars_table([], REPORT) == []
    for wrong in ("mine: 3", "mine: [{metric: [mcc], kind: aim}]", "{"):
        (tmp_path / "bars.yaml").write_text(wrong)
        with pytest.raises(RowsError, match=r"bars\.yaml cannot be used"):
            read_bars(tmp_path)
