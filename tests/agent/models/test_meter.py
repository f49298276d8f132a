"""What model calls cost reaches the meter of whoever asked, from tasks and threads as well."""

from __future__ import annotations

import asyncio

from agent.models.meter import Meter, metered, spend
from tools.ports import Usage


async def test_tasks_and_threads_count_on_the_meter_they_began_under() -> None:
    async def call() -> None:
        spend(Usage(1, 2, 0.5))

    with metered(Meter()) as one:
        await asyncio.gather(call(), call())
        await asyncio.to_thread(spend, Usage(10, 20))
        with metered(Meter()) as inner:
            await asyncio.create_task(call())
    assert one.usage == Usage(12, 24, 1.0)
    assert inner.usage == Usage(1, 2, 0.5)


def test_without_a_meter_nothing_is_counted() -> None:
    meter = Meter()
    with metered(meter):
        pass
    spend(Usage(1, 1))
    assert meter.usage == Usage()
