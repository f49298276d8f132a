from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from finetune.training.selection import kept_step

History = list[dict[str, float]]


def evaluation(step: int, value: float, error: float) -> dict[str, float]:
    return {"step": step, "eval_pr_auc": value, "eval_pr_auc_se": error}


def test_the_last_epoch_is_kept_when_an_earlier_one_was_better_by_chance() -> None:
    history = [{"step": 10, "loss": 0.3}, evaluation(600, 0.954, 0.015), evaluation(1200, 0.952, 0.016)]
    assert kept_step(history) == 1200


def test_an_epoch_that_is_clearly_worse_is_not_kept() -> None:
    assert kept_step([evaluation(600, 0.95, 0.01), evaluation(1200, 0.90, 0.02)]) == 600


def test_without_an_evaluation_nothing_is_chosen() -> None:
    assert kept_step([{"step": 10, "loss": 0.3}]) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.2)), min_size=1, max_size=8))
def test_what_is_kept_is_within_one_standard_error_and_nothing_later_is(values: list[tuple[float, float]]) -> None:
    history: History = [evaluation(at, *value) for at, value in enumerate(values)]
    kept = kept_step(history)
    assert kept is not None
    best, error = max(values, key=lambda value: value[0])
    assert values[kept][0] >= best - error
    assert all(value < best - error for value, _ in values[kept + 1 :])
