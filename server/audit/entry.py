"""An entry of the audit log, its canonical form and its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

AuditKind = Literal[
    "fraud_decision",
    "run_ended",
    "run_paused",
    "review_asked",
    "review_escalated",
    "review_decision",
    "review_answered",
    "key_created",
    "key_rotated",
    "key_revoked",
    "document_deleted",
    "extraction_corrected",
    "run_deleted",
    "thread_deleted",
    "prompt_changed",
    "adapter_promoted",
    "audit_pruned",
]
RUN_KINDS: tuple[AuditKind, ...] = ("fraud_decision", "run_ended", "run_paused")
"""What a run comes to; of each kind a run has one row at most."""

Row = Mapping[str, Any]
"""A stored entry by the names in `COLUMNS`."""

GENESIS = "0" * 64
"""What the first row has as the hash of the one before it."""

TEXTS = (
    "run_id",
    "subject",
    "input_hash",
    "output_hash",
    "model",
    "model_sha256",
    "adapter",
    "adapter_sha256",
    "prompt",
    "route",
    "outcome",
)
NUMBERS = ("score", "threshold")
STRUCTURES = ("chunks", "reasons", "human_override", "details")
CONTENT = ("sequence", "time", "kind", "owner", *TEXTS, *NUMBERS, *STRUCTURES, "previous_hash")
"""What a row's seal is over."""
COLUMNS = (*CONTENT, "seal", "hash")


@dataclass(frozen=True)
class AuditEntry:
    """What happened. `subject` names the thing it happened to where that is no run: a document, a key, an adapter.

    Inputs and outputs are kept as fingerprints (`AuditKey.fingerprint`), `reasons` as codes: an audit log outlives the
    data it is about. `details` and `human_override` are plain JSON.
    """

    kind: AuditKind
    owner: str
    run_id: str | None = None
    subject: str | None = None
    input_hash: str | None = None
    output_hash: str | None = None
    model: str | None = None
    model_sha256: str | None = None
    adapter: str | None = None
    adapter_sha256: str | None = None
    prompt: str | None = None
    chunks: Sequence[str] = ()
    route: str | None = None
    outcome: str | None = None
    score: float | None = None
    threshold: float | None = None
    reasons: Sequence[str] = ()
    human_override: Mapping[str, Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def content(self, sequence: int, previous_hash: str) -> dict[str, Any]:
        """The entry as the row after the one with `previous_hash`, at this moment."""
        override = None if self.human_override is None else dict(self.human_override)
        values: dict[str, Any] = {
            "sequence": sequence,
            "time": timestamp(datetime.now(UTC)),
            "kind": self.kind,
            "owner": self.owner,
            **{name: getattr(self, name) or None for name in TEXTS},
            **{name: _number(getattr(self, name)) for name in NUMBERS},
            "chunks": list(self.chunks),
            "reasons": list(self.reasons),
            "human_override": override,
            "details": dict(self.details),
            "previous_hash": previous_hash,
        }
        # As it comes back from the database: the hash is over what is stored.
        return json.loads(canonical(values))


def canonical(values: Mapping[str, Any]) -> str:
    """JSON with sorted names, without spaces, in ASCII; numbers as Python writes them.

    Raises:
        ValueError: a number is infinite or none.
    """
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sealed_text(row: Row) -> str:
    """A row's content in canonical form: what its seal is over."""
    return canonical({name: row[name] for name in CONTENT})


def row_hash(row: Row) -> str:
    """SHA-256 of a row's content and seal in canonical form, in hexadecimal."""
    return hashlib.sha256(canonical({name: row[name] for name in (*CONTENT, "seal")}).encode()).hexdigest()


def has_its_hash(row: Row) -> bool:
    """Whether a row's hash is that of its content and seal."""
    try:
        return row_hash(row) == row["hash"]
    except (TypeError, ValueError):
        # Somebody has put in what no entry holds: bytes, an infinite number.
        return False


def timestamp(moment: datetime) -> str:
    """A moment as it is stored: ISO 8601 in UTC with microseconds, so that texts sort as times do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
