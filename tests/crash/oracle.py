"""What must hold after a restart, whatever was struck and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import Connection, func, select

from agent.settings import Settings
from server.audit.head import read_head
from server.audit.key import load_key
from server.audit.reading import check_log
from server.db.tables import audit, events, query_log, request_keys, runs
from server.storage import read_audit_log, read_database
from tests.crash.callers import Caller, Told

_ENDED_BY_STOP = ("shutting_down",)
_ENDS_IN_THE_AUDIT_LOG = ("run_ended", "fraud_decision")


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
    broken_chains: list[str] = field(default_factory=list[str])

    @property
    def violations(self) -> list[str]:
        """Everything that should not be."""
        return [*self.lost, *self.duplicated, *self.broken_logs, *self.broken_chains]


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
    """Every request has one run that ended, with one line in the query log, one in the audit log, no gap in events."""
    with read_database(settings) as database:
        for caller in callers:
            kept = database.execute(select(request_keys.c.run_id).where(request_keys.c.key == caller.key)).scalar()
            if kept is None or (caller.run_id or kept) != kept:
                found.lost.append(f"{caller.kind} {caller.key}: its run is not there")
                continue
            _check_run(database, caller, kept, found, graceful=graceful)
        asked = runs.c.message.in_([caller.message for caller in callers])
        count = database.execute(select(func.count()).select_from(runs).where(asked)).scalar_one()
        if count != len(callers):
            found.duplicated.append(f"{count} runs for {len(callers)} requests")


def _check_run(database: Connection, caller: Caller, run_id: str, found: Findings, *, graceful: bool) -> None:
    name = f"{caller.kind} {caller.key}"
    run = database.execute(select(runs).where(runs.c.run_id == run_id)).one()
    found.runs += 1
    found.acknowledged += caller.acknowledged
    found.taken_over += run.attempt > 1
    stopped = graceful and run.error_code in _ENDED_BY_STOP
    found.stopped += stopped
    if run.status != "success" and not stopped:
        found.lost.append(f"{name}: {run.status} {run.error_code}")
    lines = select(func.count()).select_from(query_log).where(query_log.c.run_id == run_id)
    if (logged := database.execute(lines).scalar_one()) != 1:
        found.duplicated.append(f"{name}: {logged} lines in the query log")
    ends = audit.c.kind.in_(_ENDS_IN_THE_AUDIT_LOG)
    rows = select(func.count()).select_from(audit).where(audit.c.run_id == run_id, ends)
    if (audited := database.execute(rows).scalar_one()) != 1:
        found.duplicated.append(f"{name}: {audited} ends in the audit log")
    told = select(events.c.seq, events.c.name).where(events.c.run_id == run_id).order_by(events.c.seq)
    stored = database.execute(told).all()
    if [event.seq for event in stored] != list(range(1, len(stored) + 1)):
        found.broken_logs.append(f"{name}: stored with gaps")
    if [event.name for event in stored].count("end") != 1:
        found.broken_logs.append(f"{name}: not exactly one end is stored")


def check_audit(settings: Settings, found: Findings) -> None:
    """The audit log is one whole chain: no row twice, none missing, all sealed."""
    head = read_head(settings.audit_head_file)
    with read_audit_log(settings) as database:
        check = check_log(database, head, load_key(settings.audit_key_file))
    found.broken_chains += [f"{problem.code} {problem.sequence}: {problem.message}" for problem in check.problems]


def check_memory(url: str, settings: Settings, callers: Sequence[Caller], found: Findings) -> None:
    """A thread holds each question and each answer once."""
    for thread_id in sorted({caller.thread_id for caller in callers if caller.kind != "alone"}):
        state = httpx.get(f"{url}/threads/{thread_id}/state", trust_env=False).raise_for_status().json()
        messages: list[dict[str, Any]] = (state["values"] or {}).get("messages", [])
        with read_database(settings) as database:
            statuses = database.execute(select(runs.c.status).where(runs.c.thread_id == thread_id)).scalars().all()
        answers = statuses.count("success")
        kinds = [message["type"] for message in messages]
        asked = [message["content"] for message in messages if message["type"] == "human"]
        if kinds.count("ai") != answers:
            found.duplicated.append(f"{thread_id}: {kinds.count('ai')} answers of {answers} runs")
        if len(asked) != len(set(asked)) or not answers <= len(asked) <= len(statuses):
            found.duplicated.append(f"{thread_id}: {len(asked)} questions of {len(statuses)} runs")
