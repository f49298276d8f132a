"""Runs and the turns they make, in the app database; always for one owner."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, and_, delete, select

from server.audit.entry import AuditEntry
from server.db.dialects import LARGEST_INTEGER
from server.db.engine import Database
from server.db.tables import events, feedback, runs, threads
from server.reviews.rows import ReviewRow
from server.reviews.writes import find_review
from server.runs.admission import Admission, admit
from server.runs.endings import append_events, delete_run, finish, pay, take_back
from server.runs.events import RunEvent, with_gap
from server.runs.leases import ClaimedRun, claim, renew
from server.runs.requests import known_run
from server.runs.rows import (
    REVIEW_OF,
    NewRun,
    Outcome,
    RequestKey,
    RunRow,
    RunStatus,
    ThreadRow,
    TurnRow,
    Verdict,
)
from server.runs.stops import told_error
from tools.errors import NotFoundError
from tools.ports import Usage


class RunStore:
    """Reads and writes runs with their events, and threads as the turns that runs made.

    What it writes of a run it writes under the lease of `holder`, which names this process. In a `shared` database
    other processes may hold leases as well.
    """

    def __init__(self, database: Database, holder: str | None = None) -> None:
        """Keep everything in `database`; without a `holder`, under a new name."""
        self.shared = database.shared
        self._database = database
        self._holder = holder or uuid.uuid4().hex

    async def create(self, run: NewRun) -> Admission:
        """Write a run, and its thread if that is new, durably; says whether the run may work at once.

        Raises:
            NotFoundError: the thread belongs to somebody else.
            ThreadBusyError: the run would not wait for the thread's other runs.
            KeyReusedError: the request's key was given to another request.
        """
        return await self._database.write(lambda connection: admit(connection, self._holder, run))

    async def append(self, log: Sequence[RunEvent]) -> Collection[str]:
        """Write events of runs that go on; returns the runs that are not ours any more, of which nothing is written."""
        return await self._database.write(lambda connection: append_events(connection, self._holder, log))

    async def known_run(self, owner: str, key: RequestKey) -> tuple[str, str] | None:
        """The run, by id and thread, that a request with this key has started, if one has.

        Raises:
            KeyReusedError: it asked for something else.
        """
        return await self._database.read(lambda connection: known_run(connection, owner, key))

    async def finish(self, run: NewRun, log: Sequence[RunEvent], outcome: Outcome) -> str | None:
        """Write how a run ended, all or nothing; returns the id of the run that its thread works on from now.

        Raises:
            LeaseLostError: the run is not ours any more.
        """
        holder, audit = self._holder, self._database.audit
        return await self._database.write(lambda connection: finish(connection, holder, audit, run, log, outcome))

    async def take_back(self, run: NewRun, spent: Usage) -> str | None:
        """Remove a run as if it had never been, but for what it `spent`.

        Returns the id of the run that its thread works on from now.

        Raises:
            LeaseLostError: the run is not ours any more.
        """
        holder, audit = self._holder, self._database.audit
        return await self._database.write(lambda connection: take_back(connection, holder, audit, run, spent))

    async def pay(self, run: NewRun, spent: Usage) -> None:
        """Count what a run has cost whose end somebody else writes."""
        await self._database.write(lambda connection: pay(connection, run, spent))

    async def renew(self, run_ids: Collection[str]) -> Mapping[str, RunStatus]:
        """Keep the leases of runs; returns those that are still ours, with their status."""
        return await self._database.write(lambda connection: renew(connection, self._holder, run_ids))

    async def claim(self, *, everything: bool, own: bool = False, ours: Collection[str] = ()) -> Sequence[ClaimedRun]:
        """Take over unfinished runs that nobody works on, the oldest first (see `server.runs.leases.claim`)."""
        return await self._database.write(
            lambda connection: claim(connection, self._holder, everything=everything, own=own, ours=ours)
        )

    async def get(self, owner: str, run_id: str) -> RunRow:
        """A run.

        Raises:
            NotFoundError: this owner has no such run.
        """
        query = select(runs).where(runs.c.run_id == run_id, runs.c.owner == owner)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        if row is None:
            raise NotFoundError(f"There is no run {run_id!r}.", run_id=run_id)
        return _run_row(row)

    async def decided_review(self, run: NewRun) -> ReviewRow | None:
        """The review whose decision a run carries to its thread, if it does.

        Raises:
            NotFoundError: the review has gone with its run.
        """
        run_id = run.input.get(REVIEW_OF)
        if run_id is None:
            return None
        return await self._database.read(lambda connection: find_review(connection, run.owner, run_id))

    async def result(self, owner: str, run_id: str) -> dict[str, Any]:
        """The result of a run that has ended.

        Raises:
            NotFoundError: this owner has no such run.
            SwitchyardError: what ended the run instead.
        """
        row = await self.get(owner, run_id)
        if row.result is not None:
            return row.result
        told = [orjson.loads(event.data) for event in await self.events(run_id, 0) if event.name == "error"]
        message = told[-1]["message"] if told else "The run ended without a result."
        raise told_error(row.error_code or "internal_error", message)

    async def of_thread(
        self, owner: str, thread_id: str, *, limit: int, offset: int = 0, status: RunStatus | None = None
    ) -> list[RunRow]:
        """A thread's runs, the newest first; none where this owner has no such thread."""
        query = select(runs).where(runs.c.thread_id == thread_id, runs.c.owner == owner)
        if status is not None:
            query = query.where(runs.c.status == status)
        query = (
            query.order_by(runs.c.created_at.desc(), runs.c.run_id.desc())
            .limit(limit)
            .offset(min(offset, LARGEST_INTEGER))
        )
        found = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [_run_row(row) for row in found]

    async def delete(self, owner: str, run_id: str) -> None:
        """Remove a run with its events, and say so in the audit log; its thread works on what comes next.

        Raises:
            NotFoundError: this owner has no such run.
            ReviewConflictError: its review waits for a decision.
        """
        audit = self._database.audit
        await self._database.write(lambda connection: delete_run(connection, audit, owner, run_id))

    async def events(self, run_id: str, after: int) -> Sequence[RunEvent]:
        """The stored events of a run after number `after`, led by a `gap` where some of them were pruned."""
        passed = min(after, LARGEST_INTEGER)
        query = select(events).where(events.c.run_id == run_id, events.c.seq > passed).order_by(events.c.seq)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return with_gap(run_id, after, [RunEvent(row.run_id, row.seq, row.name, row.data) for row in rows])

    async def threads(self, owner: str, limit: int) -> list[ThreadRow]:
        """An owner's threads that hold a message, the newest first."""
        query = select(threads).where(threads.c.owner == owner, ~threads.c.temporary, threads.c.title != "")
        query = query.order_by(threads.c.updated_at.desc()).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [thread_row(row) for row in rows]

    async def thread(self, owner: str, thread_id: str) -> tuple[ThreadRow, list[TurnRow]]:
        """A thread with its turns, oldest first.

        Raises:
            NotFoundError: this owner has no such thread.
        """
        of_thread = select(threads).where(threads.c.thread_id == thread_id, threads.c.owner == owner)
        of_runs = (
            select(runs, feedback.c.score, feedback.c.comment)
            .join(feedback, and_(feedback.c.run_id == runs.c.run_id, feedback.c.owner == owner), isouter=True)
            .where(runs.c.thread_id == thread_id, runs.c.owner == owner)
            .order_by(runs.c.created_at)
        )

        def query(connection: Connection) -> tuple[RowMapping | None, Sequence[RowMapping]]:
            return connection.execute(of_thread).mappings().first(), connection.execute(of_runs).mappings().all()

        row, found = await self._database.read(query)
        if row is None:
            raise NotFoundError(f"There is no thread {thread_id!r}.", thread_id=thread_id)
        return thread_row(row), [_turn_row(turn) for turn in found]

    async def delete_thread(self, owner: str, thread_id: str) -> None:
        """Remove a thread with its runs and events, and say so in the audit log.

        Raises:
            NotFoundError: this owner has no such thread.
        """
        query = delete(threads).where(threads.c.thread_id == thread_id, threads.c.owner == owner)
        audit = self._database.audit

        def write(connection: Connection) -> bool:
            deleted = connection.execute(query).rowcount > 0
            if deleted:
                audit.append(connection, AuditEntry("thread_deleted", owner, subject=thread_id))
            return deleted

        if not await self._database.write(write):
            raise NotFoundError(f"There is no thread {thread_id!r}.", thread_id=thread_id)


def thread_row(row: RowMapping) -> ThreadRow:
    """A row of the threads table."""
    return ThreadRow(**{field.name: row[field.name] for field in fields(ThreadRow)})


def _turn_row(row: RowMapping) -> TurnRow:
    verdict = None if row["score"] is None else Verdict(row["score"], row["comment"])
    return TurnRow(_run_row(row), row["input"].get("document_ids", []), verdict)


def _run_row(row: RowMapping) -> RunRow:
    return RunRow(**{field.name: row[field.name] for field in fields(RunRow)})
