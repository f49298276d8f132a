"""Adding files, a few at a time, and saying what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.text import Text

from server.cli.backend import Backend, Json
from tools.errors import InputError

_File = TypeVar("_File")

# Most of what a small file takes is waiting for the disk, several times in a row.
_AT_A_TIME = 4


@dataclass(frozen=True)
class Added:
    """What came of adding files."""

    indexed: int = 0
    chunks: int = 0
    failed: int = 0

    def __add__(self, other: Added) -> Added:
        return Added(self.indexed + other.indexed, self.chunks + other.chunks, self.failed + other.failed)


async def add_all(files: Iterable[_File], add: Callable[[_File], Awaitable[Added]]) -> Added:
    """Add every file, a few at the same time; an error that `add` raises ends the others."""
    rest = iter(files)

    async def some() -> Added:
        added = Added()
        for file in rest:
            added += await add(file)
        return added

    workers = [asyncio.create_task(some()) for _ in range(_AT_A_TIME)]
    try:
        return sum(await asyncio.gather(*workers), Added())
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)


async def add_one(
    backend: Backend, shown: str, name: str, read: Callable[[], bytes], fields: Json, console: Console
) -> Added:
    """Add a file and print a line about it; a file that cannot be read is counted, not raised."""
    try:
        document = await backend.add_file(name, await asyncio.to_thread(read), fields)
    except (InputError, OSError) as error:
        reason = error.message if isinstance(error, InputError) else error.strerror
        console.print(Text.assemble(("✗ ", "red"), shown, (f"  {reason}", "red")), soft_wrap=True)
        return Added(failed=1)
    chunks: int = document["chunks"]
    detail = f"  {chunks} chunk{'' if chunks == 1 else 's'}"
    console.print(Text.assemble(("✓ ", "green"), shown, (detail, "dim")), soft_wrap=True)
    return Added(indexed=1, chunks=chunks)
