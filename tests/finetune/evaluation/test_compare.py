from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from finetune.errors import RowsError
from finetune.evaluation.compare import compare

Report = Callable[..., Path]
BASELINES = ["majority", "tfidf_lr", "gradient_boosting"]


def test_one_report_is_compared_with_its_baselines(make_report: Report) -> None:
    entries = compare([make_report()])
    assert [entry["against"] for entry in entries] == BASELINES
    assert all(entry["paired"] and {"pr_auc", "mcc"} <= entry["differences"].keys() for entry in entries)
    assert entries[0]["mcnemar_p"] < 0.01


def test_reports_are_compared_with_the_first_and_each_with_its_baselines(make_report: Report) -> None:
    first, second = make_report("one"), make_report("two", paired=False)
    entries = compare([first, second])
    assert [(Path(entry["report"]).stem, Path(entry["against"]).stem, entry["paired"]) for entry in entries] == [
        ("two", "one", True),
        *(("one", name, True) for name in BASELINES),
        *(("two", name, False) for name in BASELINES),
    ]
    assert entries[0]["differences"]["mcc"] == {"difference": 0.0, "interval": [0.0, 0.0]}


def test_reports_without_their_rows_or_about_others_are_refused(make_report: Report, tmp_path: Path) -> None:
    with pytest.raises(RowsError, match="without its rows") as bare:
        compare([make_report("one"), make_report("bare", rows=False)])
    assert bare.value.code == "no_rows"
    with pytest.raises(RowsError, match="about other rows"):
        compare([make_report("one"), make_report("other", data="e")])
    broken = tmp_path / "broken.json"
    report = json.loads(make_report("one").read_text())
    broken.write_text(json.dumps({**report, "rows": [{"truth": 1}]}))
    with pytest.raises(RowsError, match="rows are none"):
        compare([broken, make_report("one")])
