"""`compare`: several reports over the same rows, each against the first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finetune.errors import RowsError
from finetune.evaluation.metrics import Scored
from finetune.evaluation.significance import mcnemar, paired_differences


def compare(reports: Sequence[Path]) -> list[dict[str, Any]]:
    """For each report after the first: McNemar's p and, by metric, the difference to the first with its interval.

    Raises RowsError when a file is no report, or the reports are about different rows.
    """
    loaded = [_load(path) for path in reports]
    reference, expected = loaded[0]
    compared: list[dict[str, Any]] = []
    for path, (scored, rows) in zip(reports[1:], loaded[1:], strict=True):
        if rows != expected or not np.array_equal(scored.truth, reference.truth):
            raise RowsError(f"{path.name} is about other rows than {reports[0].name}.", code="different_rows")
        differences = {
            name: {"difference": round(value, 4), "interval": [round(bound, 4) for bound in interval]}
            for name, (value, interval) in paired_differences(scored, reference).items()
        }
        compared.append({"report": str(path), "against": str(reports[0]), "mcnemar_p": mcnemar(scored, reference),
                         "differences": differences})  # fmt: skip
    return compared


def _load(path: Path) -> tuple[Scored, str]:
    try:
        report = json.loads(path.read_text("utf-8"))
        rows = report["rows"]
        scored = Scored(
            np.array([row["truth"] for row in rows]),
            np.array([row["decided"] for row in rows]),
            np.array([row["probabilities"] for row in rows], dtype=np.float64),
        )
        return scored, str(report["adapter"]["data_sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RowsError(f"{path} is no report of `evaluate`.", code="no_report") from error
