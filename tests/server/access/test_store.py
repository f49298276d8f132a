"""Keys in the database: hashes only, expiry, revocation, rotation with and without grace."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from agent.settings import Settings
from server.access.callers import Limits
from server.access.keys import ApiKey
from server.access.store import KeyStore, NewKey
from server.db.engine import Database
from server.db.tables import audit
from server.storage import open_app_database
from tools.errors import InputError, NotFoundError

HOUR = 3600.0


async def accepts(store: KeyStore, key: ApiKey, later_s: float = 0) -> bool:
    record = await store.find(key.key_id)
    assert record is not None
    return record.accepts(key, record.created_at + later_s)


async def test_a_key_is_found_with_what_it_may(store: KeyStore) -> None:
    key = await store.create(NewKey("ann", "laptop", ["documents", "chat", "chat"], limits={"tokens_per_day": 5}))
    record = await store.find(key.key_id)
    assert record is not None
    assert (record.owner, record.name, record.scopes) == ("ann", "laptop", ("chat", "documents"))
    assert record.limits(Limits(10, 20, 30, 40, 50)) == Limits(10, 5, 30, 40, 50)
    assert record.accepts(key, record.created_at)
    assert record.expires_at is None
    assert [each.key_id for each in await store.list()] == [key.key_id]


async def test_a_limit_of_0_overrides_the_default(store: KeyStore) -> None:
    key = await store.create(NewKey("ann", "", ["chat"], limits={"requests_per_minute": 0}))
    record = await store.find(key.key_id)
    assert record is not None
    assert record.limits(Limits(requests_per_minute=10)).requests_per_minute == 0


@pytest.mark.parametrize("kept", ["sqlite"], indirect=True)
def test_the_database_never_holds_a_key(store: KeyStore, tmp_path: Path) -> None:
    async def make() -> list[ApiKey]:
        key = await store.create(NewKey("ann", "", ["chat"]))
        return [key, await store.rotate(key.key_id, HOUR)]

    keys = asyncio.run(make())
    content = b"".join(file.read_bytes() for file in tmp_path.glob("switchyard.db*"))
    assert keys[0].key_id.encode() in content
    assert not any(key.secret.encode() in content for key in keys)


async def test_another_secret_with_the_same_id_is_refused(store: KeyStore) -> None:
    key = await store.create(NewKey("ann", "", ["chat"]))
    assert not await accepts(store, ApiKey.new(key.key_id))


async def test_a_key_ends(store: KeyStore) -> None:
    key = await store.create(NewKey("ann", "", ["chat"], lifetime_s=HOUR))
    assert await accepts(store, key, HOUR - 1)
    assert not await accepts(store, key, HOUR)


async def test_a_revoked_key_is_refused_and_stays_so(store: KeyStore) -> None:
    key = await store.create(NewKey("ann", "", ["chat"]))
    old = key
    key = await store.rotate(key.key_id, HOUR)
    first = await store.revoke(key.key_id)
    assert not await accepts(store, key)
    assert not await accepts(store, old)
    assert await store.revoke(key.key_id) == first
    with pytest.raises(InputError) as caught:
        await store.rotate(key.key_id)
    assert caught.value.code == "key_revoked"


async def test_rotation_without_grace_ends_the_old_secret_at_once(store: KeyStore) -> None:
    old = await store.create(NewKey("ann", "", ["chat"]))
    new = await store.rotate(old.key_id)
    assert await accepts(store, new)
    assert not await accepts(store, old)


async def test_rotation_with_grace_ends_the_old_secret_then(store: KeyStore) -> None:
    old = await store.create(NewKey("ann", "", ["chat"], lifetime_s=10 * HOUR))
    new = await store.rotate(old.key_id, HOUR)
    assert await accepts(store, old, HOUR - 60)
    assert not await accepts(store, old, HOUR + 60)
    assert await accepts(store, new, 10 * HOUR - 60)
    third = await store.rotate(old.key_id)
    assert [await accepts(store, key) for key in (old, new, third)] == [False, False, True]


async def test_grace_never_outlives_the_key(store: KeyStore) -> None:
    old = await store.create(NewKey("ann", "", ["chat"], lifetime_s=HOUR))
    await store.rotate(old.key_id, 24 * HOUR)
    assert not await accepts(store, old, HOUR + 1)


async def test_rotation_gives_the_lifetime_anew(store: KeyStore) -> None:
    key = await store.create(NewKey("ann", "", ["chat"], lifetime_s=HOUR))
    before = await store.find(key.key_id)
    await store.rotate(key.key_id)
    after = await store.find(key.key_id)
    assert before is not None
    assert after is not None
    assert after.expires_at == pytest.approx(after.issued_at + HOUR)
    assert (after.owner, after.scopes, after.created_at) == (before.owner, before.scopes, before.created_at)


@pytest.mark.parametrize("owner", ["", "a/b", "a b", "ann\n", "x" * 65, "é", "../etc"])
async def test_owners_that_could_be_taken_for_others_are_refused(store: KeyStore, owner: str) -> None:
    with pytest.raises(InputError) as caught:
        await store.create(NewKey(owner, "", ["chat"]))
    assert caught.value.code == "invalid_owner"
    assert await store.list() == []


async def test_a_key_needs_scopes_that_there_are(store: KeyStore) -> None:
    for scopes in ([], ["chat", "everything"]):
        with pytest.raises(InputError) as caught:
            await store.create(NewKey("ann", "", scopes))  # pyright: ignore[reportArgumentType]
        assert caught.value.code == "invalid_scope"


async def test_an_unknown_key_is_not_found(store: KeyStore) -> None:
    assert await store.find("0" * 12) is None
    for attempt in (store.revoke("0" * 12), store.rotate("0" * 12)):
        with pytest.raises(NotFoundError):
            await attempt


async def test_a_key_made_beside_a_running_server_is_found(store: KeyStore, kept: Settings) -> None:
    key = await store.create(NewKey("ann", "", ["chat"]))
    other = await asyncio.to_thread(open_app_database, kept)
    await KeyStore(other).revoke(key.key_id)
    await asyncio.to_thread(other.close)
    assert not await accepts(store, key)


async def test_making_renewing_and_ending_a_key_are_in_the_audit_log(store: KeyStore, database: Database) -> None:
    key = await store.create(NewKey("ann", "laptop", ["chat"]))
    renewed = await store.rotate(key.key_id)
    await store.revoke(key.key_id)
    await store.revoke(key.key_id)
    query = select(audit).order_by(audit.c.sequence)
    rows = await database.read(lambda connection: connection.execute(query).mappings().all())
    assert [row["kind"] for row in rows] == ["key_created", "key_rotated", "key_revoked"]
    assert {(row["owner"], row["subject"]) for row in rows} == {("ann", key.key_id)}
    assert not any(secret in str(dict(row)) for row in rows for secret in (key.secret, renewed.secret))
