"""Events are shown once they are on disk, and many of them cost few transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from sqlalchemy.exc import OperationalError

from server.runs.events import EventLog, RunEvent
from server.runs.journal import Journal


class Disk:
    """Keeps what is written; slow and broken at will."""

    def __init__(self) -> None:
        self.transactions: list[list[RunEvent]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failures = 0
        self.lost: set[str] = set()

    async def append(self, log: Sequence[RunEvent]) -> Collection[str]:
        await self.open.wait()
        if self.failures:
            self.failures -= 1
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))
        self.transactions.append(list(log))
        return self.lost


def log_of(journal: Journal, run_id: str = "run") -> EventLog:
    return EventLog(run_id, announce=journal.announce)


async def read(log: EventLog, count: int) -> list[int]:
    seen: list[int] = []
    async for arrived in log.follow():
        seen += [event.seq for event in arrived]
        if len(seen) >= count:
            break
    return seen


async def test_nothing_is_shown_before_it_is_written() -> None:
    disk = Disk()
    disk.open.clear()
    log = log_of(Journal(disk.append, lambda _: None))
    reading = asyncio.create_task(read(log, 1))
    log.append("token", {"text": "a"})
    for _ in range(20):
        await asyncio.sleep(0)
    assert not reading.done()
    disk.open.set()
    assert await asyncio.wait_for(reading, 20) == [1]


async def test_events_that_come_together_share_a_transaction() -> None:
    disk = Disk()
    journal = Journal(disk.append, lambda _: None)
    logs = [log_of(journal, f"run-{n}") for n in range(3)]
    for _ in range(200):
        for log in logs:
            log.append("token", {"text": "a"})
    for log in logs:
        assert await asyncio.wait_for(read(log, 200), 20) == list(range(1, 201))
    assert len(disk.transactions) == 1


async def test_a_failed_write_is_tried_again() -> None:
    disk = Disk()
    disk.failures = 2
    log = log_of(Journal(disk.append, lambda _: None))
    log.append("token", {"text": "a"})
    log.append("token", {"text": "b"})
    assert await asyncio.wait_for(read(log, 2), 20) == [1, 2]
    assert [event.seq for event in disk.transactions[0]] == [1, 2]


async def test_a_run_of_another_process_is_told_and_not_shown() -> None:
    disk, told = Disk(), list[str]()
    disk.lost = {"run"}
    journal = Journal(disk.append, told.append)
    log, other = log_of(journal), log_of(journal, "other")
    log.append("token", {"text": "a"})
    other.append("token", {"text": "a"})
    assert await asyncio.wait_for(read(other, 1), 20) == [1]
    assert told == ["run"]
    assert log.written == 0
    log.give_up()
    assert [arrived async for arrived in log.follow()] == []


async def test_a_closed_journal_writes_no_more() -> None:
    disk = Disk()
    disk.open.clear()
    journal = Journal(disk.append, lambda _: None)
    log_of(journal).append("token", {"text": "a"})
    await asyncio.sleep(0)
    await asyncio.wait_for(journal.close(), 20)
    assert disk.transactions == []
