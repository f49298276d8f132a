from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.cost.prices import Quality
from finetune.cost.quality import false_alarm_share, quality_of_report
from tools.errors import InputError

counts = st.integers(1, 5000)


@given(counts, counts, counts, counts)
def test_the_share_is_that_of_the_confusion_table(tp: int, fp: int, fn: int, tn: int) -> None:
    accuracy = (tp + tn) / (tp + fp + fn + tn)
    found = false_alarm_share(accuracy, tp / (tp + fp), tp / (tp + fn))
    assert found == pytest.approx(fp / (fp + tn), rel=1e-6)


def test_no_error_is_no_alarm_and_nothing_flagged_is_not_determined() -> None:
    assert false_alarm_share(1, 1, 1) == 0
    with pytest.raises(InputError, match="price file"):
        false_alarm_share(0.9, 0, 0)


def report(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_report_tells_the_quality_of_all_three_ways(tmp_path: Path) -> None:
    metrics = {"accuracy": 0.95, "precision": 0.9, "recall": 0.8}
    content = {"n": 100, **metrics, "baselines": {"rules": metrics, "base_model": {**metrics, "recall": 0.3}}}
    found = quality_of_report(report(tmp_path, content), Quality())
    assert found.caught == {"tuned": 0.8, "prompt": 0.3, "rules": 0.8}
    assert found.false_alarms["rules"] == found.false_alarms["tuned"]


@pytest.mark.parametrize("content", [[], {"n": 3}, {"n": 3, "accuracy": None, "precision": 1, "recall": 1}])
def test_other_files_are_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(InputError, match="no report"):
        quality_of_report(report(tmp_path, content), Quality())
