"""Batches of documents: what probe queries found before, the checks after, kept for later."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert, select, update

from server.db.engine import Database
from server.db.tables import ingestions
from server.ingestion.quality import Probe, QualityChecks, problems
from tools.errors import NotFoundError
from tools.knowledge.index import KnowledgeIndex


@dataclass(frozen=True)
class Ingestion:
    """A batch. `report` is `None` until it is finished: `{counts, probes, problems}` as plain values."""

    ingestion_id: str
    owner: str
    collection: str
    probes: dict[str, list[str]]
    report: dict[str, Any] | None
    started_at: float
    finished_at: float | None


class Ingestions:
    """Starts and finishes batches, and remembers them."""

    def __init__(self, database: Database, index: KnowledgeIndex) -> None:
        """Keep batches in `database`; `index` answers the probes."""
        self._database = database
        self._checks = QualityChecks(database, index)

    async def start(self, owner: str, collection: str, probes: Sequence[str]) -> Ingestion:
        """Open a batch and see what the probes find before it; without probes the owner's last questions are asked."""
        queries = probes or await self._checks.recent_questions(owner)
        found = await self._checks.found(owner, collection, queries)
        batch = Ingestion(uuid.uuid4().hex, owner, collection, found, None, time.time(), None)
        await self._database.write(lambda connection: connection.execute(insert(ingestions).values(asdict(batch))))
        return batch

    async def finish(self, owner: str, ingestion_id: str) -> Ingestion:
        """Check the collection and keep the report; finished again, it is checked again.

        Raises:
            NotFoundError: this owner has no such batch.
        """
        batch = await self.get(owner, ingestion_id)
        counts = await self._checks.counts(owner, batch.collection)
        after = await self._checks.found(owner, batch.collection, list(batch.probes))
        probes = [Probe(query, before, after[query]) for query, before in batch.probes.items()]
        report = {
            "counts": asdict(counts),
            "probes": [asdict(probe) for probe in probes],
            "problems": [asdict(problem) for problem in problems(counts, probes)],
        }
        query = update(ingestions).where(ingestions.c.ingestion_id == ingestion_id, ingestions.c.owner == owner)
        values = {"report": report, "finished_at": time.time()}
        await self._database.write(lambda connection: connection.execute(query.values(values)))
        return await self.get(owner, ingestion_id)

    async def get(self, owner: str, ingestion_id: str) -> Ingestion:
        """A batch.

        Raises:
            NotFoundError: this owner has no such batch.
        """
        query = select(ingestions).where(ingestions.c.ingestion_id == ingestion_id, ingestions.c.owner == owner)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        if row is None:
            raise NotFoundError(f"There is no ingestion {ingestion_id!r}.", ingestion_id=ingestion_id)
        return Ingestion(**row)

    async def list(self, owner: str, limit: int) -> list[Ingestion]:
        """An owner's last batches, the newest first."""
        mine = select(ingestions).where(ingestions.c.owner == owner)
        newest = mine.order_by(ingestions.c.started_at.desc()).limit(limit)
        return await self._database.read(lambda c: [Ingestion(**row) for row in c.execute(newest).mappings()])
