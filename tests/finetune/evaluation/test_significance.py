from __future__ import annotations

from typing import Any

import pytest

from finetune.evaluation.metrics import intervals, measure
from finetune.evaluation.significance import against, mcnemar, paired_differences, unpaired_differences
from tests.finetune.evaluation.conftest import scored


def test_a_scorer_does_not_differ_from_itself() -> None:
    same = scored(0.2)
    found = against(same, same)
    assert found["mcnemar_p"] == 1.0
    assert all(entry == {"difference": 0.0, "interval": [0.0, 0.0]} for entry in found["differences"].values())


def test_a_better_scorer_is_ahead_beyond_the_interval() -> None:
    good, poor = scored(0.05), scored(3)
    assert mcnemar(good, poor) < 0.001
    value, (low, high) = paired_differences(good, poor, resamples=50)["mcc"]
    assert 0 < low < value < high
    assert measure(good)["mcc"] == 1.0


def test_two_intervals_put_together_are_around_the_same_difference_and_change_sides() -> None:
    one, other = (
        dict[str, Any](measure(answers), intervals=intervals(answers, resamples=200))
        for answers in (scored(0.2), scored(0.3, 1))
    )
    found, turned = unpaired_differences(one, other)["pr_auc"], unpaired_differences(other, one)["pr_auc"]
    assert found["difference"] == pytest.approx(one["pr_auc"] - other["pr_auc"], abs=1e-4)
    assert found["interval"][0] < found["difference"] < found["interval"][1]
    assert turned["interval"] == pytest.approx([-bound for bound in reversed(found["interval"])])
    assert found["interval"][1] - found["interval"][0] >= max(
        high - low for low, high in (one["intervals"]["pr_auc"], other["intervals"]["pr_auc"])
    )
