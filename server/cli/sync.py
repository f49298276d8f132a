"""`switchyard ingest --sync`: a folder or bucket and its documents, brought in step."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from rich.console import Console

from server.cli.adding import Added, add_all, add_one
from server.cli.backend import Backend, Json
from server.cli.sources import FoundFile, Source
from server.cli.terminal import progress_bar
from tools.errors import InputError


@dataclass(frozen=True)
class SyncOptions:
    """`delete` removes documents whose file is gone; `backfill` reads files again that have not changed."""

    delete: bool = False
    backfill: bool = False


async def sync(backend: Backend, source: Source, fields: Json, options: SyncOptions, console: Console) -> Added:
    """Upload what is new or changed; returns what came of it. Stopped at any place, the next sync goes on from there.

    Raises:
        InputError: `empty_source`, nothing is there although documents came from it: a disk that is not mounted, say.
    """
    found = {file.path: file for file in await asyncio.to_thread(source.files)}
    listing = [{"path": file.path, "revision": file.revision} for file in found.values()]
    plan = await backend.plan_sync({"source": source.name, "collection": fields["collection"], "files": listing})
    if plan["gone"] and not found:
        raise InputError(
            f"{source.name} holds no file that can be read, but {len(plan['gone'])} documents came from it. "
            "Nothing was changed. Is it there, and may it be read?",
            code="empty_source",
        )
    paths: list[str] = list(found) if options.backfill else plan["upload"]
    with progress_bar(console, "Syncing") as progress:
        upload = partial(_upload, backend, source, fields, progress.console)
        added = await add_all(progress.track([found[path] for path in paths]), upload)
    await _report(backend, plan, fields["collection"], options, console)
    return added


async def _upload(backend: Backend, source: Source, fields: Json, console: Console, file: FoundFile) -> Added:
    place = {"sync_source": source.name, "sync_path": file.path, "sync_revision": file.revision}
    name = PurePosixPath(file.path).name
    return await add_one(backend, file.path, name, lambda: source.read(file.path), fields | place, console)


async def _report(backend: Backend, plan: Json, collection: str, options: SyncOptions, console: Console) -> None:
    gone = plan["gone"]
    if options.delete:
        for document in gone:
            await backend.delete(document["document_id"], collection)
            console.print(f"- {document['path']}", style="dim", soft_wrap=True, markup=False)
    kept = "" if options.delete or not gone else " (kept; --delete removes their documents)"
    failed = f", {plan['failed']} failed before (switchyard failed)" if plan["failed"] else ""
    console.print(f"{plan['unchanged']} unchanged, {len(gone)} gone{kept}{failed}.")
