from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finetune.errors import PromotionError, ReportError
from finetune.gate import read_report, require_report_of, worse_metrics
from tests.finetune.reports import measured

ONE, OTHER = "1" * 64, "2" * 64


def test_within_the_interval_is_not_worse() -> None:
    assert worse_metrics(measured(0.86, ece=0.04), measured(0.9)) == []
    assert worse_metrics(measured(0.9, ece=0.05), measured(0.9)) == ["ece 0.050 against 0.020 (0.010 to 0.040)"]


@pytest.mark.parametrize("missing", ["absent", "null"])
def test_a_metric_that_the_new_report_lacks_counts_as_worse(missing: str) -> None:
    new = measured(0.9)
    if missing == "absent":
        del new["pr_auc"]
    else:
        new["pr_auc"] = None
    assert worse_metrics(new, measured(0.9)) == ["pr_auc missing against 0.900 (0.850 to 0.950)"]
    assert worse_metrics(measured(0.9), new) == []


def test_reports_about_other_rows_are_not_compared() -> None:
    with pytest.raises(PromotionError, match="different rows"):
        worse_metrics(measured(0.99, data="others"), measured(0.9))


@pytest.mark.parametrize(
    ("made_from", "reported", "code"),
    [
        (ONE, ONE, None),
        (None, None, None),
        (ONE, OTHER, "report_of_another_adapter"),
        (ONE, None, "report_without_weights"),
        (None, ONE, "export_without_weights"),
    ],
)
def test_a_report_belongs_to_the_weights_that_it_names(
    made_from: str | None, reported: str | None, code: str | None
) -> None:
    report = measured(0.9, weights=reported)
    if code is None:
        require_report_of(made_from, report)
        return
    with pytest.raises(ReportError, match=r"run `(evaluate|export)`") as caught:
        require_report_of(made_from, report)
    assert caught.value.code == code


def test_a_report_is_read_without_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(measured(0.9)))
    assert read_report(path) == {key: value for key, value in measured(0.9).items() if key != "rows"}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"adapter": {}}'])
def test_what_is_no_report_is_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(ReportError, match="no report"):
        read_report(path)
