"""What must hold after a restart, whatever was struck and where."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx

from agent.settings import Settings
from tests.crash.callers import Caller, Told

_ENDED_BY_STOP = ("shutting_down",)


@dataclass
class Findings:
    """What a scenario came to; every list but the counts should stay empty."""

    acknowledged: int = 0
    runs: int = 0
    taken_over: int = 0
    stopped: int = 0
    lost: list[str] = field(default_factory=list[str])
    duplicated: list[str] = field(default_factory=list[str])
    broken_logs: list[str] = field(default_factory=list[str])

    @property
    def violations(self) -> list[str]:
        """Everything that should not be."""
        return [*self.lost, *self.duplicated, *self.broken_logs]


def check_stream(caller: Caller, rest: Sequence[Told], whole: Sequence[Told], found: Findings) -> None:
    """What the client was told before and after makes up the log: numbered without gaps, nothing changed, one end."""
    name = f"{caller.kind} {caller.key}"
    if [*caller.told, *rest] != list(whole):
        found.broken_logs.append(f"{name}: what was told before the crash is not what is told after it")
    if [event.seq for event in whole] != list(range(1, len(whole) + 1)):
        found.broken_logs.append(f"{name}: the numbers have gaps")
    if [event.name for event in whole].count("end") != 1 or whole[-1].name != "end":
        found.broken_logs.append(f"{name}: not exactly one end")


def check_rows(settings: Settings, callers: Sequence[Caller], found: Findings, *, graceful: bool) -> None:
    """Every request has one run that came to an end, with one line in the query log and a log without gaps."""
    with closing(sqlite3.connect(f"file:{settings.app_database}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        for caller in callers:
            [kept] = _rows(database, "SELECT run_id FROM request_keys WHERE key = ?", caller.key) or [None]
            if kept is None or (caller.run_id or kept["run_id"]) != kept["run_id"]:
                found.lost.append(f"{caller.kind} {caller.key}: its run is not there")
                continue
            _check_run(database, caller, kept["run_id"], found, graceful=graceful)
        count = "SELECT count(*) AS n FROM runs WHERE message IN (SELECT value FROM json_each(?))"
        [runs] = _rows(database, count, json.dumps([caller.message for caller in callers]))
        if runs["n"] != len(callers):
            found.duplicated.append(f"{runs['n']} runs for {len(callers)} requests")


def _check_run(database: sqlite3.Connection, caller: Caller, run_id: str, found: Findings, *, graceful: bool) -> None:
    name = f"{caller.kind} {caller.key}"
    [run] = _rows(database, "SELECT * FROM runs WHERE run_id = ?", run_id)
    found.runs += 1
    found.acknowledged += caller.acknowledged
    found.taken_over += run["attempt"] > 1
    stopped = graceful and run["error_code"] in _ENDED_BY_STOP
    found.stopped += stopped
    if run["status"] != "success" and not stopped:
        found.lost.append(f"{name}: {run['status']} {run['error_code']}")
    logged = _rows(database, "SELECT count(*) AS n FROM query_log WHERE run_id = ?", run_id)[0]["n"]
    if logged != 1:
        found.duplicated.append(f"{name}: {logged} lines in the query log")
    events = _rows(database, "SELECT seq, name FROM events WHERE run_id = ? ORDER BY seq", run_id)
    if [event["seq"] for event in events] != list(range(1, len(events) + 1)):
        found.broken_logs.append(f"{name}: stored with gaps")
    if [event["name"] for event in events].count("end") != 1:
        found.broken_logs.append(f"{name}: not exactly one end is stored")


def check_memory(url: str, settings: Settings, callers: Sequence[Caller], found: Findings) -> None:
    """A thread holds each question and each answer once."""
    for thread_id in sorted({caller.thread_id for caller in callers if caller.kind != "alone"}):
        state = httpx.get(f"{url}/threads/{thread_id}/state", trust_env=False).raise_for_status().json()
        messages: list[dict[str, Any]] = (state["values"] or {}).get("messages", [])
        with closing(sqlite3.connect(f"file:{settings.app_database}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            rows = _rows(database, "SELECT status FROM runs WHERE thread_id = ?", thread_id)
        answers = [row["status"] for row in rows].count("success")
        kinds = [message["type"] for message in messages]
        asked = [message["content"] for message in messages if message["type"] == "human"]
        if kinds.count("ai") != answers:
            found.duplicated.append(f"{thread_id}: {kinds.count('ai')} answers of {answers} runs")
        if len(asked) != len(set(asked)) or not answers <= len(asked) <= len(rows):
            found.duplicated.append(f"{thread_id}: {len(asked)} questions of {len(rows)} runs")


def _rows(database: sqlite3.Connection, query: str, *values: Any) -> list[sqlite3.Row]:
    return database.execute(query, values).fetchall()
