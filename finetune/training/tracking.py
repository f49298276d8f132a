"""Runs in MLflow: parameters, data hash, commit, figures and files, in a local folder unless a server is named."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXPERIMENT = "switchyard-finetune"
# Read before mlflow writes the variable itself.
_NAMED_SERVER = os.environ.get("MLFLOW_TRACKING_URI")


@dataclass(frozen=True)
class TrackedRun:
    """An open run."""

    client: Any

    def finish(
        self, history: Sequence[Mapping[str, float]], figures: Mapping[str, float], files: Sequence[Path]
    ) -> None:
        """Record the curves, the final figures and the files."""
        for entry in history:
            step = int(entry["step"])
            self.client.log_metrics({k: v for k, v in entry.items() if k not in {"step", "epoch"}}, step=step)
        self.client.log_metrics({f"final_{name}": value for name, value in figures.items()})
        for file in files:
            self.client.log_artifact(str(file))


@contextmanager
def track(store: Path, name: str, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> Generator[TrackedRun]:
    """Open a run. It ends as failed when the block raises."""
    # A folder needs no database and no server; mlflow wants to be told that this is meant.
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    import mlflow

    if _NAMED_SERVER is None:
        store.mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(store.resolve().as_uri())
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(run_name=name, tags=dict(tags)):
        mlflow.log_params(dict(parameters))
        yield TrackedRun(mlflow)
