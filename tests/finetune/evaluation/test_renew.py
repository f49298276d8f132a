from __future__ import annotations

from typing import Any

import pytest

from finetune.errors import RowsError
from finetune.evaluation.baselines import simple_methods
from finetune.evaluation.metrics import intervals, measure
from finetune.evaluation.renew import renewed
from finetune.labels import LabelSpace
from finetune.rows import Row, rows_sha256

LABELS = LabelSpace(("FRAUD", "LEGITIMATE"), ("FRAUD", "LEGITIMATE"))


def rows(first: int, count: int) -> list[Row]:
    """Online orders at night that are fraud, and purchases in a shop that are not."""
    made: list[Row] = []
    for number in range(first, first + count):
        fraud = number % 3 == 0
        facts = {"amount": 900.0 if fraud else 12.5, "merchant": f"Shop {number % 7}", "customer_usual_amount": 20.0}
        facts |= {"channel": "ecommerce" if fraud else "pos", "time_of_day": "03:00" if fraud else "12:00"}
        scenario = "account_takeover" if fraud else "everyday"
        kind = "clear_fraud" if fraud else "clear_legitimate"
        text = f"{facts['amount']} at {facts['merchant']}, {'online at night' if fraud else 'in the shop'}."
        attributes = {"transaction": facts, "scenario": scenario, "kind": kind}
        made.append(Row(text, "FRAUD" if fraud else "LEGITIMATE", number, attributes))
    return made


TRAIN, TEST = rows(0, 60), rows(60, 30)


@pytest.fixture
def report(few_resamples: None) -> dict[str, Any]:
    """A report as an earlier `evaluate` wrote it; its boosting was another."""
    truth = [LABELS.index(row.label) for row in TEST]
    fitted = simple_methods(TEST, truth, TRAIN, LABELS, None)
    baselines = {name: {**measure(answers), "intervals": intervals(answers, resamples=20), "mcnemar_p": 0.5}
                 for name, answers in fitted.items()}  # fmt: skip
    baselines["gradient_boosting"]["brier"] = 0.4
    baselines["base_model"] = baselines["majority"]
    return {
        "adapter": {"data_sha256": rows_sha256(TEST), "task": "fraud", "base": "tiny", "classes": list(LABELS.classes)},
        "explanations": {"judged": 10, "true": 1.0},
        "baselines": baselines,
        "rows": [
            {"number": row.number, "truth": at, "decided": at, "probabilities": [0.9, 0.1] if at == 0 else [0.1, 0.9]}
            for row, at in zip(TEST, truth, strict=True)
        ],
    }


def test_reasons_are_judged_anew_and_baselines_compared_in_pairs(report: dict[str, Any]) -> None:
    found = renewed(report, TEST, TRAIN)
    assert found["explanations"] == {
        "rubric": 2, "judged": 10, "true": 1.0, "complete": 1.0, "readable": 1.0, "flags_found": 1.0,
        "flags_by_scenario": {"account_takeover": {"rows": 10, "found": 1.0}}, "flags_spared": 1.0,
    }  # fmt: skip
    compared = {name for name, baseline in found["baselines"].items() if "differences" in baseline}
    assert compared == {"majority", "tfidf_lr", "rules"}
    assert found["baselines"]["gradient_boosting"] == report["baselines"]["gradient_boosting"]
    assert found["rows"] == report["rows"]


def test_other_rows_or_none_are_refused(report: dict[str, Any]) -> None:
    with pytest.raises(RowsError, match="other rows"):
        renewed(report, TRAIN, TRAIN)
    with pytest.raises(RowsError, match="without its rows"):
        renewed({**report, "rows": []}, TEST, TRAIN)
