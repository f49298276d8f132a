"""The graph for LangGraph Studio's development server (`make studio`), which brings threads and checkpoints itself."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from agent.services import open_services, sample_documents
from agent.settings import Settings
from agent.state import DEFAULT_OWNER, TurnContext
from graphs.switchyard import Switchyard, build_graph
from tools.knowledge.documents import ParsedDocument
from tools.knowledge.index import KnowledgeIndex
from tools.knowledge.load import parse_file
from tools.knowledge.store import Where

_log = logging.getLogger(__name__)

_opening = threading.Lock()
_opened: list[Switchyard] = []


async def graph() -> Switchyard:
    """The compiled graph over the stores and models that the environment names.

    The first call opens them and indexes the samples, which takes some seconds; it blocks a thread of its own.
    """
    return _opened[0] if _opened else await asyncio.to_thread(_open_once)


class SampleTexts:
    """The texts of the sample documents; satisfies `agent.services.DocumentTexts`. Studio takes no uploads."""

    async def text(self, owner: str, document_id: str) -> str | None:
        """The text of the sample file of this name; everybody may read it."""
        return await asyncio.to_thread(_sample_text, document_id)


def _sample_text(name: str) -> str | None:
    return next((_parse(file).text for file in sample_documents() if file.name == name), None)


def _parse(file: Path) -> ParsedDocument:
    return parse_file(file.read_bytes(), file.name)


def _open_once() -> Switchyard:
    with _opening:
        if not _opened:
            _opened.append(_open(Settings()))
    return _opened[0]


def _open(settings: Settings) -> Switchyard:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    services = open_services(settings, SampleTexts())
    with ExitStack() as on_failure:
        on_failure.callback(services.close)
        if settings.samples == "on":
            asyncio.run(_index(services.index, sample_documents()))
        on_failure.pop_all()
    return build_graph(services)


async def _index(index: KnowledgeIndex, files: Sequence[Path]) -> None:
    collection = TurnContext(owner=DEFAULT_OWNER).index_collection
    for file in files:
        if not await index.count(collection, Where(document_ids=[file.name])):
            _log.info("Indexing the sample %s", file.name)
            await index.add(collection, file.name, await asyncio.to_thread(_parse, file))
