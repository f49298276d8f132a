"""`switchyard extract --output`: many documents into a schema, one record each."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal

from rich.console import Console
from rich.text import Text

from agent.settings import Settings
from server.cli.backend import Backend, Json, open_backend
from server.cli.extracted import Document, ExtractionFile, Target, open_extractions
from server.cli.terminal import notices, progress_bar
from tools.errors import InputError, SwitchyardError
from tools.knowledge.load import parse_file

_log = logging.getLogger(__name__)

_AT_ONCE = 4
_UNEXPECTED = "internal_error"


@dataclass(frozen=True)
class Tally:
    """What became of documents; `failed` counts those in the file that had failed before, too."""

    extracted: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass(frozen=True)
class _Outcome:
    """What became of a document: its result, what is wrong with it, or nothing where the file has it already."""

    document: Document
    result: Json | InputError | None


async def extract_files(files: Sequence[Path], schema: str | Json, output: Path, *, retry: bool) -> Tally:
    """Read every file that `output` does not have yet; with `retry` also those that had failed.

    Raises:
        InputError: the schema or the output cannot be used.
        SwitchyardError: no model or server can be used. What was read until then is kept.
    """
    target, console = Target.of(schema), notices()
    with open_extractions(output, target) as records:
        async with open_backend(Settings(), console) as backend:
            return await _Extraction(backend, schema, records, console, retry).run(files)


@dataclass(frozen=True)
class _Extraction:
    backend: Backend
    schema: str | Json
    records: ExtractionFile
    console: Console
    retry: bool

    async def run(self, files: Sequence[Path]) -> Tally:
        stopping = Event()
        extracted = skipped = failed = 0
        try:
            with progress_bar(self.console, "Extracting") as progress:
                task = progress.add_task("", total=len(files))
                async with aclosing(_in_order(files, lambda file: self._one(file, stopping))) as outcomes:
                    async for outcome in outcomes:
                        came = self._kept(outcome, progress.console)
                        extracted, skipped = extracted + (came == "extracted"), skipped + (came == "skipped")
                        failed += self.records.failed(outcome.document) is True
                        progress.update(task, advance=1, description=f"{failed} failed" if failed else "")
        finally:
            stopping.set()
        return Tally(extracted, skipped, failed)

    async def _one(self, file: Path, stopping: Event) -> _Outcome:
        shown = _shown(file)
        try:
            content = await asyncio.to_thread(file.read_bytes)
        except OSError as error:
            problem = InputError(f"The file cannot be read: {error.strerror}.", code="unreadable_file")
            return self._outcome(Document(shown, None), problem)
        document = Document(shown, (await asyncio.to_thread(hashlib.sha256, content)).hexdigest())
        if self._is_done(document):
            return _Outcome(document, None)
        return _Outcome(document, await self._read(content, file.name, stopping))

    async def _read(self, content: bytes, name: str, stopping: Event) -> Json | InputError:
        """The extraction, or what is wrong with this document. What is wrong with all of them is raised."""
        try:
            parsed = await asyncio.to_thread(parse_file, content, name, stopping=stopping)
            return await self.backend.extract({"text": parsed.text, "schema": self.schema})
        except InputError as error:
            return error
        except SwitchyardError as error:
            if error.code != _UNEXPECTED:
                raise
            return InputError(error.message, code=_UNEXPECTED)
        except Exception:  # noqa: BLE001 - the edge of one document: the next one may be well
            _log.exception("%s could not be extracted", name)
            return InputError("Something went wrong on our side.", code=_UNEXPECTED)

    def _is_done(self, document: Document) -> bool:
        failed = self.records.failed(document)
        return failed is not None and not (failed and self.retry)

    def _outcome(self, document: Document, result: InputError) -> _Outcome:
        return _Outcome(document, None if self._is_done(document) else result)

    def _kept(self, outcome: _Outcome, console: Console) -> Literal["extracted", "skipped", "failed"]:
        if outcome.result is None:
            return "skipped"
        self.records.add(outcome.document, outcome.result)
        if not isinstance(outcome.result, InputError):
            return "extracted"
        reason = f"  {outcome.result.message} ({outcome.result.code})"
        console.print(Text.assemble(("✗ ", "red"), outcome.document.path, (reason, "red")), soft_wrap=True)
        return "failed"


def _shown(file: Path) -> str:
    """A path as text on one line, also where its name is no UTF-8."""
    text = os.fsencode(file).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


async def _in_order(files: Sequence[Path], work: Callable[[Path], Awaitable[_Outcome]]) -> AsyncGenerator[_Outcome]:
    """The outcomes in the files' order, while a few more are worked on."""
    waiting: deque[asyncio.Future[_Outcome]] = deque()
    left = iter(files)
    try:
        while True:
            while len(waiting) < _AT_ONCE and (file := next(left, None)) is not None:
                waiting.append(asyncio.ensure_future(work(file)))
            if not waiting:
                return
            yield await waiting[0]
            waiting.popleft()
    finally:
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
