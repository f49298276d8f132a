"""Checks of the chain: which row was edited, removed, added, moved or cut off, and how that shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from server.audit.entry import GENESIS, Row, has_its_hash, sealed_text
from server.audit.head import Head
from server.audit.key import AuditKey

ProblemCode = Literal[
    "edited",
    "forged",
    "missing",
    "out_of_order",
    "unlinked",
    "start_missing",
    "tail_missing",
    "head_differs",
    "head_forged",
    "head_missing",
    "unreadable",
    "end_missing",
    "end_differs",
]
_MOST_PROBLEMS = 100


@dataclass(frozen=True)
class Problem:
    """What is wrong, at which row, and in a file at which line."""

    code: ProblemCode
    message: str
    sequence: int | None = None
    line: int | None = None


@dataclass(frozen=True)
class Start:
    """What the first row must be: the number after `sequence`, linked to `hash`."""

    sequence: int = 0
    hash: str = GENESIS


@dataclass
class ChainCheck:
    """Takes the rows in their order and collects what is wrong with them; `key` checks their seals, too."""

    key: AuditKey | None = None
    problems: list[Problem] = field(default_factory=list[Problem])
    left_out: int = 0
    """Problems beyond the first hundred."""
    rows: int = 0
    first: Row | None = None
    last: Row | None = None
    hashes: dict[int, str] = field(default_factory=dict[int, str])
    """The hashes of the rows whose numbers were there before: fill it with those that `check_head` will ask for."""
    pruned: Mapping[str, Any] | None = None
    """What the newest `audit_pruned` row says."""

    def add(self, row: Row, line: int | None = None) -> None:
        """Check the next row."""
        intact = self._check_content(row, line)
        if self.last is not None:
            self._check_place(row, self.last, line)
        if intact and row["kind"] == "audit_pruned":
            self.pruned = row["details"]
        if row["sequence"] in self.hashes:
            self.hashes[row["sequence"]] = row["hash"]
        self.first = self.first or row
        self.last = row
        self.rows += 1

    def check_start(self, start: Start) -> None:
        """Whether the first row follows on `start`."""
        if self.first is None or (self.first["sequence"], self.first["previous_hash"]) == (
            start.sequence + 1,
            start.hash,
        ):
            return
        said = f"the log begins with row {self.first['sequence']}, but row {start.sequence + 1} should be its first"
        if self.first["sequence"] == start.sequence + 1:
            said = "it does not link to what came before it"
        self.report("start_missing", f"rows before it are missing or were exchanged: {said}", self.first["sequence"])

    def start_of_log(self) -> Start:
        """Where a whole log must begin: with row 1, or after what it says was pruned."""
        through = None if self.pruned is None else self.pruned.get("through_sequence")
        if self.pruned is None or not isinstance(through, int):
            return Start()
        return Start(through, self.pruned.get("through_hash", ""))

    def check_head(self, sequence: int, row_hash: str, source: str) -> None:
        """Whether the log still holds what `source` says of row `sequence`; `hashes` must have been asked for it."""
        last = 0 if self.last is None else self.last["sequence"]
        first = 1 if self.first is None else self.first["sequence"]
        if sequence > last:
            said = f"{source} knows row {sequence}: the rows after {last} were cut off"
            self.report("tail_missing", said, last + 1)
        elif sequence >= first and self.hashes.get(sequence) != row_hash:
            self.report("head_differs", f"it is not the row that {source} knows: it was exchanged", sequence)

    def check_seal_of(self, head: Head, source: str) -> None:
        """Whether a head was written with the key."""
        if self.key is not None and not head.is_sealed_with(self.key):
            self.report("head_forged", f"{source} was not written with this key", head.sequence)

    def report(self, code: ProblemCode, message: str, sequence: int | None = None, line: int | None = None) -> None:
        """Add a problem."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(code, message, sequence, line))
        else:
            self.left_out += 1

    def _check_content(self, row: Row, line: int | None) -> bool:
        """Whether the row is as it was hashed."""
        if not has_its_hash(row):
            self.report("edited", "its content does not fit its hash", row["sequence"], line)
            return False
        if self.key is not None and not self.key.fits("row", sealed_text(row), row["seal"]):
            self.report("forged", "its seal was not made with this key", row["sequence"], line)
        return True

    def _check_place(self, row: Row, last: Row, line: int | None) -> None:
        sequence, before = row["sequence"], last["sequence"]
        if sequence <= before:
            said = f"it stands after row {before}: it was moved or added"
            self.report("out_of_order", said, sequence, line)
        elif sequence > before + 1:
            gone = f"row {before + 1}" if sequence == before + 2 else f"rows {before + 1} to {sequence - 1}"
            self.report("missing", f"{gone} before it: deleted", sequence, line)
        elif row["previous_hash"] != last["hash"]:
            said = f"it does not link to row {before}: one of the two was exchanged"
            self.report("unlinked", said, sequence, line)
