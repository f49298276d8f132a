"""Finished trials in an Optuna study (SQLite): what is in it is never trained again."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from finetune.errors import TrainingError
from finetune.sweep.plan import PARAMETERS, Settings

STORE_NAME = "sweep.db"
STUDY_NAME = "sweep"
_IDENTITY = "identity"
_LOCK = ".lock"
_HIGHEST = 1e6
_LOWEST = 1e-9
_DISTRIBUTIONS: dict[str, BaseDistribution] = {
    name: FloatDistribution(_LOWEST, _HIGHEST, log=True) for name in PARAMETERS
}


@dataclass(frozen=True)
class Trial:
    """A finished training: `pr_auc` of its best epoch on the early-stopping rows, None when it failed (`error`).

    `figures`: the calibration rows' metrics, `seconds`, `peak_memory_mb`, `tokens_per_s`, and whether it was `resumed`
    (`seconds` is then only the last part).
    """

    stage: str
    settings: Settings
    pr_auc: float | None
    figures: Mapping[str, Any]
    error: str | None = None


class Store:
    """The trials of one sweep folder."""

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        """Open or create. Raises TrainingError when the folder's trials are of other rows, another base or recipe."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study(
            storage=f"sqlite:///{folder / STORE_NAME}", study_name=STUDY_NAME, direction="maximize", load_if_exists=True
        )
        stated = json.dumps(identity, sort_keys=True)
        if self._study.user_attrs.get(_IDENTITY, stated) != stated:
            raise TrainingError(
                f"{folder} holds a sweep over other rows, another base or another recipe. Choose another --out, or "
                "delete that folder to start afresh.",
                code="another_sweep",
            )
        self._study.set_user_attr(_IDENTITY, stated)

    def trials(self) -> list[Trial]:
        """Finished trials in the order of their end; of settings that failed before, only the last attempt."""
        found = {trial.settings: trial for trial in map(_read, self._study.get_trials(deepcopy=False))}
        return list(found.values())

    def find(self, settings: Settings) -> Trial | None:
        """The successful trial with these settings."""
        same = (trial for trial in self.trials() if trial.settings == settings)
        return next((trial for trial in same if trial.error is None), None)

    def add(self, trial: Trial) -> None:
        """Keep a finished trial."""
        self._study.add_trial(
            optuna.create_trial(
                state=TrialState.FAIL if trial.pr_auc is None else TrialState.COMPLETE,
                value=trial.pr_auc,
                params=asdict(trial.settings),
                distributions=_DISTRIBUTIONS,
                user_attrs={"stage": trial.stage, "figures": dict(trial.figures), "error": trial.error},
            )
        )


def _read(kept: FrozenTrial) -> Trial:
    attributes = kept.user_attrs
    return Trial(
        attributes["stage"], Settings(**kept.params), kept.value, attributes["figures"], attributes.get("error")
    )


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Keep a second sweep out of the folder. Raises TrainingError while one runs; a killed one leaves no lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrainingError(
                f"A sweep is running in {folder}. Wait for it, or choose another --out.", code="sweep_running"
            ) from None
        yield
