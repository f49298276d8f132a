"""Requests that have a key: sent again, they lead to the run that the first of them started.

The primary key of `request_keys` decides between two that come at the same time.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, exists, select

from server.db.dialects import insert_if_new, written
from server.db.tables import request_keys, runs
from server.runs.rows import NewRun, RequestKey
from tools.errors import SwitchyardError


class KeyReusedError(SwitchyardError):
    """The key was given to another request (HTTP 422)."""

    code = "idempotency_key_reused"


def remember(connection: Connection, run: NewRun, key: RequestKey, now: float) -> bool:
    """Keep the key for a run, unless it stands for one; a run that was deleted or taken back frees its key."""
    of_key = and_(request_keys.c.owner == run.owner, request_keys.c.key == key.key)
    gone = ~exists().where(runs.c.run_id == request_keys.c.run_id)
    connection.execute(delete(request_keys).where(of_key, gone))
    row = {"owner": run.owner, "key": key.key, "sha256": key.sha256, "run_id": run.run_id, "created_at": now}
    return written(connection, insert_if_new(connection, request_keys), row)


def known_run(connection: Connection, owner: str, key: RequestKey) -> tuple[str, str] | None:
    """The run, by id and thread, that a request with this key has started, if one has.

    Raises:
        KeyReusedError: it asked for something else.
    """
    query = (
        select(request_keys.c.sha256, runs.c.run_id, runs.c.thread_id)
        .join(runs, and_(runs.c.run_id == request_keys.c.run_id, runs.c.owner == request_keys.c.owner))
        .where(request_keys.c.owner == owner, request_keys.c.key == key.key)
    )
    found = connection.execute(query).one_or_none()
    if found is None:
        return None
    if found.sha256 != key.sha256:
        raise KeyReusedError(
            "This Idempotency-Key was sent with another request before. Use a new key for a new request.",
            key=key.key,
        )
    return found.run_id, found.thread_id
