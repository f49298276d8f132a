from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from agent.settings import Settings
from server.db.writer import GroupWriter
from tests.server.engines import engine_of


@pytest.fixture
def engine(kept: Settings) -> Iterator[Engine]:
    engine = engine_of(kept)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (n INTEGER PRIMARY KEY)"))
    yield engine
    engine.dispose()


@pytest.fixture
def commits(engine: Engine) -> list[Connection]:
    seen: list[Connection] = []
    event.listen(engine, "commit", seen.append)
    return seen


def insert(n: int) -> Callable[[Connection], int]:
    def work(connection: Connection) -> int:
        connection.execute(text("INSERT INTO notes VALUES (:n)"), {"n": n})
        return n

    return work


def stored(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return [row.n for row in connection.execute(text("SELECT n FROM notes ORDER BY n"))]


async def queued_behind_a_slow_write(writer: GroupWriter, *works: Callable[[Connection], int]) -> list[object]:
    """Let `works` queue up while another write holds the thread, then give their outcomes."""
    started, release = threading.Event(), threading.Event()

    def slow(_: Connection) -> None:
        started.set()
        release.wait(10)

    first = asyncio.create_task(writer.write(slow))
    await asyncio.to_thread(started.wait, 10)
    others = [asyncio.create_task(writer.write(work)) for work in works]
    await asyncio.sleep(0)
    release.set()
    outcomes = await asyncio.gather(*others, return_exceptions=True)
    await first
    return outcomes


async def test_what_waits_together_is_committed_together(engine: Engine, commits: list[Connection]) -> None:
    writer = GroupWriter(engine)
    assert await queued_behind_a_slow_write(writer, *(insert(n) for n in range(20))) == list(range(20))
    await asyncio.to_thread(writer.close)
    assert stored(engine) == list(range(20))
    assert len(commits) == 2


async def test_one_failure_harms_nobody_else(engine: Engine) -> None:
    def refuse(connection: Connection) -> int:
        insert(7)(connection)
        raise LookupError("no")

    writer = GroupWriter(engine)
    outcomes = await queued_behind_a_slow_write(writer, insert(1), refuse, insert(2), insert(1))
    await asyncio.to_thread(writer.close)
    assert outcomes[0] == 1
    assert isinstance(outcomes[1], LookupError)
    assert outcomes[2] == 2
    assert isinstance(outcomes[3], IntegrityError)
    assert stored(engine) == [1, 2]


async def test_a_write_is_on_disk_when_it_returns(engine: Engine) -> None:
    writer = GroupWriter(engine)
    assert await writer.write(insert(3)) == 3
    assert stored(engine) == [3]
    with pytest.raises(LookupError, match="alone"):
        await writer.write(raising)
    await asyncio.to_thread(writer.close)


async def test_who_stops_waiting_stops_nothing(engine: Engine) -> None:
    writer = GroupWriter(engine)
    started, release = threading.Event(), threading.Event()

    def slow(connection: Connection) -> int:
        started.set()
        release.wait(10)
        return insert(1)(connection)

    abandoned = asyncio.create_task(writer.write(slow))
    await asyncio.to_thread(started.wait, 10)
    abandoned.cancel()
    release.set()
    assert await writer.write(insert(2)) == 2
    await asyncio.to_thread(writer.close)
    assert abandoned.cancelled()
    assert stored(engine) == [1, 2]


@pytest.mark.parametrize("kept", ["postgres"], indirect=True)
async def test_writers_of_two_processes_that_wait_for_each_other_both_succeed(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO notes VALUES (1), (2)"))
    both_hold = threading.Barrier(2)

    def crossing(first: int, second: int) -> Callable[[Connection], None]:
        attempts = iter((True,))

        def work(connection: Connection) -> None:
            change = text("UPDATE notes SET n = n WHERE n = :n")
            connection.execute(change, {"n": first})
            if next(attempts, False):
                both_hold.wait(10)
            connection.execute(change, {"n": second})

        return work

    writers = GroupWriter(engine), GroupWriter(engine)
    await asyncio.gather(writers[0].write(crossing(1, 2)), writers[1].write(crossing(2, 1)))
    for writer in writers:
        await asyncio.to_thread(writer.close)


async def test_an_error_that_a_retry_may_mend_is_told_after_some(engine: Engine) -> None:
    class DeadlockError(Exception):
        sqlstate = "40P01"

    attempts: list[Connection] = []

    def unlucky(connection: Connection) -> None:
        attempts.append(connection)
        raise OperationalError("UPDATE", {}, DeadlockError())

    writer = GroupWriter(engine)
    with pytest.raises(OperationalError):
        await writer.write(unlucky)
    await asyncio.to_thread(writer.close)
    assert 2 < len(attempts) < 10


def raising(_: Connection) -> None:
    raise LookupError("alone")
