from __future__ import annotations

from pathlib import Path

import pytest

from finetune.errors import TrainingError
from finetune.recipe import Recipe
from finetune.sweep.plan import settings_of
from finetune.sweep.store import Store, Trial, locked

START = settings_of(Recipe(rank=3, alpha=1, learning_rate=0.1 + 0.2))
TRIAL = Trial("rank", START, 0.7, {"seconds": 1.5, "calibration_pr_auc": None})


def test_trials_are_read_back_as_they_were(tmp_path: Path) -> None:
    Store(tmp_path, {"rows": "a"}).add(TRIAL)
    again = Store(tmp_path, {"rows": "a"})
    assert again.trials() == [TRIAL]
    assert again.find(START) == TRIAL
    assert again.find(START.having("rank", 4)) is None


def test_a_failed_trial_is_tried_again(tmp_path: Path) -> None:
    store = Store(tmp_path, {})
    store.add(Trial("rank", START, None, {}, "out of memory"))
    assert store.find(START) is None
    store.add(TRIAL)
    assert store.trials() == [TRIAL]


def test_another_sweep_is_not_mixed_in(tmp_path: Path) -> None:
    Store(tmp_path, {"rows": "a"})
    with pytest.raises(TrainingError, match="another --out") as caught:
        Store(tmp_path, {"rows": "b"})
    assert caught.value.code == "another_sweep"


def test_a_folder_has_one_sweep_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / "out"):
        with pytest.raises(TrainingError, match="is running") as caught, locked(tmp_path / "out"):
            pass
        assert caught.value.code == "sweep_running"
    with locked(tmp_path / "out"):
        pass
