"""`compare`: each report against its own baselines and, on the same rows, against the first report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finetune.errors import RowsError
from finetune.evaluation.metrics import Scored
from finetune.evaluation.significance import against
from finetune.evaluation.standing import standings
from finetune.evaluation.stored import read_report, stored_scores


def compare(reports: Sequence[Path]) -> list[dict[str, Any]]:
    """Entries with McNemar's p and, by metric, the difference with its interval: `report` minus `against`.

    First each report after the first against the first (`paired`), then every report against each of its `baseline`s.
    Raises RowsError when a file is no report, or two reports are about different rows or lack their rows.
    """
    loaded = [read_report(path) for path in reports]
    return [
        *(_against_first(reports, loaded, at) for at in range(1, len(loaded))),
        *(entry for path, report in zip(reports, loaded, strict=True) for entry in _against_baselines(path, report)),
    ]


def _against_first(paths: Sequence[Path], reports: Sequence[Mapping[str, Any]], at: int) -> dict[str, Any]:
    first, other = _scores(paths[0], reports[0]), _scores(paths[at], reports[at])
    data = [reports[place]["adapter"]["data_sha256"] for place in (0, at)]
    if data[0] != data[1] or not np.array_equal(first.truth, other.truth):
        raise RowsError(f"{paths[at].name} is about other rows than {paths[0].name}.", code="different_rows")
    return {"report": str(paths[at]), "against": str(paths[0]), "paired": True, **against(other, first)}


def _against_baselines(path: Path, report: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "report": str(path),
            "against": standing.baseline,
            "paired": standing.paired,
            "mcnemar_p": standing.mcnemar_p,
            "differences": dict(standing.differences),
        }
        for standing in standings(report)
    ]


def _scores(path: Path, report: Mapping[str, Any]) -> Scored:
    scored = stored_scores(report)
    if scored is None:
        raise RowsError(f"{path} was published without its rows: two reports cannot be compared.", code="no_rows")
    return scored
