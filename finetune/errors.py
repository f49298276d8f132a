"""What can go wrong in the sidecar: each error says what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from tools.errors import InputError, SwitchyardError

_SHOWN = 5


class RowsError(InputError):
    """Rows of a file cannot be used; `details["rows"]` maps row numbers (from 1, header not counted) to reasons."""

    code = "invalid_rows"

    def __init__(self, message: str, rows: Mapping[int, str] | None = None, *, code: str | None = None) -> None:
        rows = rows or {}
        shown = "; ".join(f"row {number}: {reason}" for number, reason in list(rows.items())[:_SHOWN])
        more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        super().__init__(f"{message} {shown}{more}".strip(), code=code, rows=dict(rows))


class RecipeError(InputError):
    """A recipe, or a combination of settings, cannot be used."""

    code = "invalid_recipe"


class TrainingError(SwitchyardError):
    """Training, or what uses its models, cannot go on."""

    code = "training_failed"


class OutOfMemoryError(TrainingError):
    """The memory of the machine does not suffice for these settings."""

    code = "out_of_memory"

    def __init__(self, advice: str) -> None:
        super().__init__(f"The machine ran out of memory. {advice}")


class ExportError(SwitchyardError):
    """An adapter cannot be served faithfully; `details["reasons"]` lists why."""

    code = "export_refused"

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(f"The adapter is not exported: {'; '.join(reasons)}.", reasons=reasons)


class PromotionError(SwitchyardError):
    """An adapter may not take that place in the registry."""

    code = "promotion_refused"


class ReportError(SwitchyardError):
    """A report of `evaluate` cannot be read, or measured another adapter than the one it is given for."""

    code = "report_refused"


class MissingExtraError(SwitchyardError):
    """A package of the `finetune` extra is not installed."""

    code = "missing_extra"

    def __init__(self, module: str) -> None:
        super().__init__(f"{module!r} is not installed. Install what trains adapters: make finetune", module=module)
