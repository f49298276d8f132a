"""The queue of reviews in the app database; always for one owner, but for what the server does by itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from agent.review import ReviewAnswer
from server.db.engine import Database
from server.db.tables import reviews, runs
from server.reviews.rows import ReviewRow, ReviewStatus
from server.reviews.writes import decide, escalate, escalate_overdue, find_review, review_row, with_runs
from server.runs.rows import REVIEW_OF, UNFINISHED


class ReviewStore:
    """Reads and writes reviews."""

    def __init__(self, database: Database) -> None:
        """Keep everything in `database`."""
        self._database = database

    async def get(self, owner: str, run_id: str) -> ReviewRow:
        """A review.

        Raises:
            NotFoundError: this owner has no such review.
        """
        return await self._database.read(lambda connection: find_review(connection, owner, run_id))

    async def page(
        self, owner: str, statuses: Sequence[ReviewStatus], *, limit: int, offset: int = 0
    ) -> tuple[list[ReviewRow], int]:
        """Reviews of some statuses, the oldest first, and how many there are without pages."""
        wanted = (reviews.c.owner == owner, reviews.c.status.in_(statuses))
        query = with_runs().where(*wanted).order_by(reviews.c.created_at, reviews.c.run_id).limit(limit).offset(offset)
        count = select(func.count()).select_from(reviews).where(*wanted)

        def read(connection: Connection) -> tuple[list[ReviewRow], int]:
            rows = [review_row(found) for found in connection.execute(query).mappings()]
            return rows, connection.execute(count).scalar_one()

        return await self._database.read(read)

    async def asked_on(self, owner: str, thread_id: str, request_id: str) -> ReviewRow | None:
        """The review that asks this question on this thread."""
        query = with_runs().where(
            reviews.c.owner == owner, reviews.c.thread_id == thread_id, reviews.c.request_id == request_id
        )
        found = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        return None if found is None else review_row(found)

    async def decide(self, owner: str, run_id: str, answer: ReviewAnswer) -> ReviewRow:
        """Write a final decision, durably and once; see `server.reviews.writes.decide`."""
        audit = self._database.audit
        return await self._database.write(lambda connection: decide(connection, audit, owner, run_id, answer))

    async def escalate(self, owner: str, run_id: str, by: str, comment: str | None) -> ReviewRow:
        """Hand a review on; see `server.reviews.writes.escalate`."""
        audit = self._database.audit
        return await self._database.write(lambda connection: escalate(connection, audit, owner, run_id, by, comment))

    async def escalate_overdue(self, asked_before: float, now: float) -> Sequence[ReviewRow]:
        """Escalate what has been waiting since before a moment, whoever owns it; returns it."""
        audit = self._database.audit
        return await self._database.write(lambda connection: escalate_overdue(connection, audit, asked_before, now))

    async def unanswered(self, decided_before: float) -> list[ReviewRow]:
        """Decisions, whoever owns them, that have not reached their thread and that no run is carrying there."""
        query = with_runs().where(
            reviews.c.status == "decided", reviews.c.decision_run_id.is_(None), reviews.c.decided_at <= decided_before
        )

        def read(connection: Connection) -> list[ReviewRow]:
            found = [review_row(row) for row in connection.execute(query).mappings()]
            carried = _carried(connection, {row.thread_id for row in found})
            return [row for row in found if row.run_id not in carried]

        return await self._database.read(read)


def _carried(connection: Connection, thread_ids: set[str]) -> set[str]:
    """The reviews whose decisions are under way on these threads."""
    query = select(runs.c.input).where(runs.c.thread_id.in_(thread_ids), runs.c.status.in_(UNFINISHED))
    return {given[REVIEW_OF] for given in connection.execute(query).scalars() if REVIEW_OF in given}
