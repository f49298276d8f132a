"""An exported file is verified alone; whatever single change is made to it is found."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings import Settings
from server.audit.entry import COLUMNS, AuditEntry, Row, row_hash, sealed_text
from server.audit.export import Format, check_file, export_lines
from server.audit.key import AuditKey
from tests.server.audit.logs import found, rows_of

FORMATS: tuple[Format, ...] = ("jsonl", "csv")
KEY = AuditKey(bytes(range(32)))

_TEXT = st.text(max_size=12)
_ENTRY = st.builds(
    AuditEntry,
    kind=st.sampled_from(["fraud_decision", "run_ended", "key_created"]),
    owner=st.text(min_size=1, max_size=8),
    run_id=st.none() | _TEXT,
    subject=st.none() | _TEXT,
    chunks=st.lists(_TEXT, max_size=2),
    score=st.none() | st.floats(0, 1),
    reasons=st.lists(_TEXT, max_size=2),
    human_override=st.none() | st.dictionaries(_TEXT, _TEXT, max_size=2),
    details=st.dictionaries(_TEXT, st.none() | st.integers() | _TEXT, max_size=2),
)
_CHAIN = st.lists(_ENTRY, min_size=1, max_size=5)


def exported(entries: list[AuditEntry], format: Format, *, key: AuditKey = KEY) -> list[str]:
    """The lines of a file with a chain of these entries."""
    rows: list[Row] = []
    last = "0" * 64
    for sequence, entry in enumerate(entries, start=1):
        row = entry.content(sequence, last)
        row["seal"] = key.seal("row", sealed_text(row))
        last = row["hash"] = row_hash(row)
        rows.append(row)
    return list(export_lines(rows, format, key, {}))


def problems(text: str, format: Format, key: AuditKey | None) -> list[tuple[str, int | None]]:
    """What is wrong with a file of this text, opened as the command opens it."""
    return found(check_file(io.StringIO(text, newline=""), format, key))


@pytest.mark.parametrize("format", FORMATS)
@given(entries=_CHAIN)
def test_a_file_as_it_was_exported_is_whole(format: Format, entries: list[AuditEntry]) -> None:
    text = "".join(exported(entries, format))
    assert problems(text, format, KEY) == []
    assert problems(text, format, None) == []


@pytest.mark.parametrize("format", FORMATS)
@given(entries=_CHAIN, data=st.data())
def test_any_changed_character_is_found(format: Format, entries: list[AuditEntry], data: st.DataObject) -> None:
    text = "".join(exported(entries, format))
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda char: char != text[at]))
    assert problems(text[:at] + other + text[at + 1 :], format, None)


@pytest.mark.parametrize("format", FORMATS)
@given(entries=_CHAIN, data=st.data())
def test_any_removed_or_added_character_is_found(
    format: Format, entries: list[AuditEntry], data: st.DataObject
) -> None:
    text = "".join(exported(entries, format))
    at = data.draw(st.integers(0, len(text) - 1))
    added = data.draw(st.characters(exclude_categories=["Cs"]))
    assert problems(text[:at] + text[at + 1 :], format, None)
    assert problems(text[:at] + added + text[at:], format, None)


@pytest.mark.parametrize("format", FORMATS)
@given(entries=_CHAIN, data=st.data())
def test_any_cut_is_found(format: Format, entries: list[AuditEntry], data: st.DataObject) -> None:
    text = "".join(exported(entries, format))
    assert problems(text[: data.draw(st.integers(0, len(text) - 1))], format, None)


@pytest.mark.parametrize("format", FORMATS)
@given(entries=_CHAIN, data=st.data())
def test_any_record_that_is_removed_doubled_or_moved_is_found(
    format: Format, entries: list[AuditEntry], data: st.DataObject
) -> None:
    # A record of a CSV file may have several lines: whole records are moved.
    records = exported(entries, format)
    at = data.draw(st.integers(0, len(records) - 1))
    to = data.draw(st.integers(0, len(records) - 1).filter(lambda place: place != at))
    rest = records[:at] + records[at + 1 :]
    moved = [*rest[:to], records[at], *rest[to:]]
    for changed in (rest, moved, [*records[: at + 1], *records[at:]]):
        assert problems("".join(changed), format, None)


@pytest.mark.parametrize("format", FORMATS)
@given(entries=_CHAIN, data=st.data())
def test_a_row_that_was_rewritten_with_its_hash_is_found(
    format: Format, entries: list[AuditEntry], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(entries) - 1))
    others = [*entries]
    others[at] = AuditEntry("key_revoked", "eve")
    forged = exported(others, format, key=AuditKey(bytes(32)))
    first = 1 if format == "csv" else 0
    assert problems("".join(forged), format, KEY), "without the key nobody makes a seal"
    records = exported(entries, format)
    records[first + at] = forged[first + at]
    assert problems("".join(records), format, None)


def test_csv_holds_no_formula() -> None:
    text = "".join(exported([AuditEntry("key_created", "ann", subject="=cmd()")], "csv"))
    assert "'=cmd()" in text
    assert problems(text, "csv", KEY) == []
    assert text.splitlines()[0] == ",".join(f'"{name}"' for name in COLUMNS)


def test_a_range_of_time_holds_all_rows_between_its_ends(filled: Settings) -> None:
    moments = [datetime.fromisoformat(row["time"]) for row in rows_of(filled)]
    assert len(rows_of(filled, moments[1], moments[3])) == 2
    assert len(rows_of(filled, moments[0], moments[4] + timedelta(seconds=1))) == 5
    assert rows_of(filled, datetime(2099, 1, 1, tzinfo=UTC)) == []
    assert rows_of(filled, None, datetime(2001, 1, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize("format", FORMATS)
def test_a_part_of_the_log_is_verified_alone(filled: Settings, format: Format) -> None:
    part = rows_of(filled)[2:4]
    lines = list(export_lines(part, format, KEY, {"since": "2026"}))
    assert [code for code, _ in found(check_file(lines, format, None))] == []
    empty = list(export_lines([], format, KEY, {}))
    assert found(check_file(empty, format, KEY)) == []


def test_what_is_no_export_is_not_verified() -> None:
    for text in ("", "{}\n", "[1]\n", '"text"\n', "sequence,time\n", "[" * 100_000, "\udcff\n", "1" * 5000):
        for format in FORMATS:
            assert problems(text, format, None), (text[:20], format)
