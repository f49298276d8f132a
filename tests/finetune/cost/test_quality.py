from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.cost.prices import Quality
from finetune.cost.quality import false_alarm_share, quality_of_report, training_hours
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


METRICS = {"accuracy": 0.95, "precision": 0.9, "recall": 0.8}
CONTENT = {"n": 100, **METRICS, "baselines": {"rules": METRICS, "base_model": {**METRICS, "recall": 0.3}}}


def test_a_report_tells_the_quality_of_the_adapter_and_the_rules(tmp_path: Path) -> None:
    found = quality_of_report(report(tmp_path, CONTENT), Quality(caught={"prompt": 0.7}))
    assert found.caught == {"tuned": 0.8, "prompt": 0.7, "rules": 0.8}
    assert found.false_alarms.keys() == {"tuned", "rules"}
    assert found.false_alarms["rules"] == found.false_alarms["tuned"]
    assert found.measured_on == "report.json (100 rows)"


def test_the_base_model_stands_for_prompting_only_where_it_is_what_is_prompted(tmp_path: Path) -> None:
    found = quality_of_report(report(tmp_path, CONTENT), Quality(prompt_is_served_base=True))
    assert found.caught == {"tuned": 0.8, "prompt": 0.3, "rules": 0.8}


def test_the_hours_of_training_are_the_reports(tmp_path: Path) -> None:
    assert training_hours(report(tmp_path, {**CONTENT, "training": {"seconds": 1800}})) == 0.5
    assert training_hours(report(tmp_path, {**CONTENT, "training": None})) is None
    assert training_hours(report(tmp_path, CONTENT)) is None


@pytest.mark.parametrize("content", [[], {"n": 3}, {"n": 3, "accuracy": None, "precision": 1, "recall": 1}])
def test_other_files_are_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(InputError, match="no report"):
        quality_of_report(report(tmp_path, content), Quality())
