"""Judge a stored report again without the model: `python -m finetune.evaluation.renew REPORT --data F --train-data F`.

The adapter's answers stay as they were measured. What follows from them and the rows is computed anew: what holds of
the explanations, and the paired differences to baselines that need no language model. A baseline is taken only where
fitting it again gives the figures that the report has; the others keep what they have.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finetune.errors import RowsError
from finetune.evaluation.baselines import has_transactions, simple_methods
from finetune.evaluation.explanations import Speaker, judge_explanations
from finetune.evaluation.metrics import Scored, measure
from finetune.evaluation.significance import against
from finetune.evaluation.stored import read_report, stored_scores
from finetune.labels import FRAUD_TASK, LabelSpace
from finetune.rows import Row, read_rows, rows_sha256
from tools.fraud.prompt import FRAUD, LEGITIMATE

_SAME = 1e-6
_FIGURES = ("accuracy", "pr_auc", "brier")


def renewed(report: Mapping[str, Any], rows: Sequence[Row], train: Sequence[Row] | None) -> dict[str, Any]:
    """The report with explanations judged anew and paired differences to the baselines that can be fitted again.

    Raises RowsError for a report without its rows (`no_rows`), or where `rows` are others than it was measured on
    (`different_rows`).
    """
    scored = stored_scores(report)
    if scored is None:
        raise RowsError("The report was published without its rows: evaluate again.", code="no_rows")
    about = report["adapter"]
    if rows_sha256(rows) != about["data_sha256"]:
        raise RowsError("These are other rows than the report was measured on.", code="different_rows")
    labels = _labels(about)
    fitted = simple_methods(rows, scored.truth.tolist(), train, labels, levels=None)
    baselines = {
        name: {**stored, **(against(scored, fitted[name]) if _same(fitted.get(name), stored) else {})}
        for name, stored in report["baselines"].items()
    }
    explanations = report["explanations"]
    if labels.binary and has_transactions(rows):
        explanations = judge_explanations(Speaker(labels.words[0], about["base"], about["task"]), rows, scored)
    return {**report, "explanations": explanations, "baselines": baselines}


def _labels(about: Mapping[str, Any]) -> LabelSpace:
    classes = tuple(about["classes"])
    return LabelSpace(classes, (FRAUD, LEGITIMATE) if about["task"] == FRAUD_TASK and len(classes) == 2 else classes)


def _same(fitted: Scored | None, stored: Mapping[str, Any]) -> bool:
    if fitted is None:
        return False
    found = measure(fitted)
    return all(np.isclose(found[name] or 0.0, stored[name] or 0.0, atol=_SAME) for name in _FIGURES)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m finetune.evaluation.renew", description=__doc__)
    parser.add_argument("report", type=Path, help="what `evaluate` wrote; it is written anew")
    parser.add_argument("--data", type=Path, required=True, help="the rows that it was measured on")
    parser.add_argument("--train-data", type=Path, help="the rows that baselines learn from")
    arguments = parser.parse_args()
    train = None if arguments.train_data is None else read_rows(arguments.train_data)
    report = renewed(read_report(arguments.report), read_rows(arguments.data), train)
    arguments.report.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
