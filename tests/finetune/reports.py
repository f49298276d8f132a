"""Reports as `evaluate` writes them, as far as the gate reads them."""

from __future__ import annotations

from typing import Any


def measured(pr_auc: float, ece: float = 0.02, data: str = "rows", weights: str | None = None) -> dict[str, Any]:
    """A report with two metrics; the PR-AUC's interval is 0.05 to each side, the calibration error's 0.01 to 0.04."""
    about = {"data_sha256": data} if weights is None else {"data_sha256": data, "weights_sha256": weights}
    return {
        "pr_auc": pr_auc,
        "ece": ece,
        "intervals": {"pr_auc": [pr_auc - 0.05, pr_auc + 0.05], "ece": [0.01, 0.04]},
        "adapter": about,
        "rows": [1, 2, 3],
    }
