"""What was asked of an adapter before it was trained: bars stated in a file, held against its report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from finetune.errors import RowsError

BARS_NAME = "bars.yaml"


class Bar(BaseModel):
    """One figure of a report that has to be reached (`required`) or is hoped for (`aim`).

    `metric` is the figure's place in the report, as keys from the outside in; `because` says what the bar is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: tuple[str, ...]
    kind: Literal["required", "aim"]
    at_least: float | None = None
    at_most: float | None = None
    because: str | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Bar:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("state either at_least or at_most")
        return self

    def line(self, report: Mapping[str, Any]) -> str:
        """The bar, whether it is reached, and by what, as a Markdown table row."""
        value = _found(report, self.metric)
        interval = (report.get("intervals") or {}).get(self.metric[0]) if len(self.metric) == 1 else None
        shown = "not measured" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
        if interval:
            shown += f" ({interval[0]:.3f} to {interval[1]:.3f})"
        limit = f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"
        because = f" ({self.because})" if self.because else ""
        return (
            f"| {' '.join(self.metric)} | {self.kind}: {limit}{because} | {shown} | {self._reached(value, interval)} |"
        )

    def _reached(self, value: float | None, interval: list[float] | None) -> str:
        if value is None:
            return ""
        reached = self._passes(value)
        certain = interval is None or all(self._passes(bound) == reached for bound in interval)
        return ("reached" if reached else "not reached") + ("" if certain else "; the bar lies within the interval")

    def _passes(self, value: float) -> bool:
        return value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0.0)


_BARS = TypeAdapter(dict[str, list[Bar]])


def read_bars(folder: Path) -> dict[str, list[Bar]]:
    """The bars of the reports in a folder, by file name without ending; none without a `bars.yaml`.

    Raises RowsError (`bad_bars`) for a file that states none.
    """
    path = folder / BARS_NAME
    if not path.is_file():
        return {}
    try:
        return _BARS.validate_python(yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise RowsError(f"{path} cannot be used: {error}", code="bad_bars") from error


def bars_table(bars: list[Bar], report: Mapping[str, Any]) -> list[str]:
    """Markdown lines; none where nothing was asked."""
    if not bars:
        return []
    lines = ["What was asked beforehand (`bars.yaml`):", "", "| | asked | measured | |", "| --- | --- | --- | --- |"]
    return [*lines, *(bar.line(report) for bar in bars), ""]


def _found(report: Mapping[str, Any], places: tuple[str, ...]) -> float | None:
    value: Any = report
    for place in places:
        value = value.get(place) if isinstance(value, Mapping) else None
    return value
