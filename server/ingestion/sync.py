"""What a folder or bucket has that its documents do not, and the other way round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from server.ingestion.rows import DocumentRow

# Failures that were not the file's fault: the same version is worth another upload.
_WORTH_ANOTHER = frozenset({"interrupted", "internal_error", "source_missing"})


@dataclass(frozen=True)
class SyncPlan:
    """`upload` are paths that are new, changed, or were cut off; `gone` documents whose file is not there any more.

    `failed` counts files that could not be read and have not changed since; they are dead letters.
    """

    upload: list[str]
    unchanged: int
    failed: int
    gone: list[DocumentRow]


def plan_sync(known: Iterable[DocumentRow], found: Mapping[str, str]) -> SyncPlan:
    """Compare a source's documents with `found`, the revision of each path that is there now."""
    rows = {row.synced.path: row for row in known if row.synced is not None}
    stay = {path: rows[path] for path, revision in found.items() if path in rows and _is_known(rows[path], revision)}
    failed = sum(row.status == "failed" for row in stay.values())
    return SyncPlan(
        upload=[path for path in found if path not in stay],
        unchanged=len(stay) - failed,
        failed=failed,
        gone=[row for path, row in rows.items() if path not in found],
    )


def _is_known(row: DocumentRow, revision: str) -> bool:
    cut_off = row.status == "failed" and row.error_code in _WORTH_ANOTHER
    return row.synced is not None and row.synced.revision == revision and not cut_off
