"""Reports that `evaluate` wrote, read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from finetune.errors import RowsError
from finetune.evaluation.metrics import Scored


def read_report(path: Path) -> dict[str, Any]:
    """A report's content; raises RowsError (`no_report`) for another file."""
    try:
        report = json.loads(path.read_text("utf-8"))
        _ = report["adapter"]["base"], report["adapter"]["data_sha256"], report["baselines"], report["slices"]
        return report
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RowsError(f"{path} is no report of `evaluate`.", code="no_report") from error


def stored_scores(report: Mapping[str, Any]) -> Scored | None:
    """The adapter's answers row by row; None where the report was published without its rows.

    Raises RowsError (`no_report`) where they are no rows of `evaluate`.
    """
    rows = report.get("rows")
    if not rows:
        return None
    try:
        return Scored(
            np.array([row["truth"] for row in rows]),
            np.array([row["decided"] for row in rows]),
            np.array([row["probabilities"] for row in rows], dtype=np.float64),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RowsError("The report's rows are none that `evaluate` wrote.", code="no_report") from error
