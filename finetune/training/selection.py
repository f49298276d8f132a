"""Which epoch's adapter a run keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

METRIC = "pr_auc"
ERROR = f"{METRIC}_se"


def kept_step(history: Iterable[Mapping[str, float]]) -> int | None:
    """The step of the checkpoint to keep: the last whose validation PR-AUC is within one standard error of the best.

    On a few hundred validation rows the best epoch by a hair is chance, and the last ones, at low learning rates, are
    trained best (the one-standard-error rule, Breiman et al. 1984, with the order of training as the preference).
    None where nothing was evaluated.
    """
    evaluated = [entry for entry in history if f"eval_{METRIC}" in entry]
    if not evaluated:
        return None
    best = max(evaluated, key=lambda entry: entry[f"eval_{METRIC}"])
    least = best[f"eval_{METRIC}"] - best[f"eval_{ERROR}"]
    return max(int(entry["step"]) for entry in evaluated if entry[f"eval_{METRIC}"] >= least)
