"""What a report of `evaluate` proves: which adapter it measured, and whether that is as good as another one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from finetune.errors import PromotionError, ReportError

REPORT_NAME = "report.json"
TRACKED = ("accuracy", "precision", "recall", "mcc", "roc_auc", "pr_auc")
LOWER_IS_BETTER = ("ece", "brier")


def read_report(path: Path) -> dict[str, Any]:
    """A report without its rows, which are many and needed by `compare` only. Raises ReportError."""
    try:
        found: Any = json.loads(path.read_text("utf-8"))
        if not {"adapter", "intervals"} <= found.keys():
            raise ValueError("fields are missing")
    except (OSError, ValueError, AttributeError) as error:
        raise ReportError(f"{path} is no report of `evaluate`.") from error
    return {key: value for key, value in cast("dict[str, Any]", found).items() if key != "rows"}


def report_json(report: Mapping[str, Any]) -> str:
    """A report as it lies beside an adapter: without rows."""
    return json.dumps({key: value for key, value in report.items() if key != "rows"}, indent=1) + "\n"


def require_report_of(weights_sha256: str | None, report: Mapping[str, Any]) -> None:
    """Refuse a report of other weights than these. Raises ReportError.

    Manifests and reports from before both named their weights name none: two of those are taken at their word.
    """
    measured = report["adapter"].get("weights_sha256")
    if measured == weights_sha256:
        return
    if measured is None:
        raise ReportError(
            "The report does not say which weights it measured: run `evaluate` on the adapter again.",
            code="report_without_weights",
        )
    if weights_sha256 is None:
        raise ReportError(
            "The export does not say which weights it was made from: run `export` again.", code="export_without_weights"
        )
    raise ReportError(
        f"The report measured another adapter (weights {measured[:8]}, not {weights_sha256[:8]}): run `evaluate` on "
        "the folder that was exported, and give that report.",
        code="report_of_another_adapter",
        measured=measured,
        weights=weights_sha256,
    )


def same_rows(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether two reports are about the same rows."""
    return new["adapter"]["data_sha256"] == old["adapter"]["data_sha256"]


def worse_metrics(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """The tracked metrics in which `new` lies outside `old`'s 95% interval on the bad side, or that it lacks.

    Raises PromotionError when the reports are about different rows.
    """
    if not same_rows(new, old):
        raise PromotionError("The two reports are about different rows: evaluate both adapters on the same file.")
    worse: list[str] = []
    for name in (*TRACKED, *LOWER_IS_BETTER):
        interval = old["intervals"].get(name)
        if interval is None or old.get(name) is None:
            continue
        low, high = interval
        before = f"against {old[name]:.3f} ({low:.3f} to {high:.3f})"
        value = new.get(name)
        if value is None:
            worse.append(f"{name} missing {before}")
        elif (value > high) if name in LOWER_IS_BETTER else (value < low):
            worse.append(f"{name} {value:.3f} {before}")
    return worse
