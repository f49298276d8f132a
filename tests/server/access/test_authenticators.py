"""Who is behind a request, by key or by being on this machine."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from server.access.authenticators import KeyAuthenticator, LocalUser
from server.access.callers import LOCAL_CALLER, AuthenticationError, Credentials, Limits
from server.access.keys import ApiKey
from server.access.store import KeyStore, NewKey

DEFAULTS = Limits(requests_per_minute=7)


def bearer(token: str, peer: str = "10.0.0.7") -> Credentials:
    return Credentials(frozenset({token}), peer)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1"])
async def test_with_auth_off_this_machine_is_the_local_user_whatever_key_it_sends(peer: str) -> None:
    assert await LocalUser().authenticate(Credentials(frozenset({"a", "b"}), peer)) == LOCAL_CALLER


@pytest.mark.parametrize("peer", ["10.0.0.7", "0.0.0.0", "::ffff:10.0.0.7", "localhost", "", None])
async def test_with_auth_off_other_machines_are_refused(peer: str | None) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await LocalUser().authenticate(Credentials(frozenset(), peer))
    assert caught.value.code == "not_local"


async def test_a_key_is_its_owner(store: KeyStore) -> None:
    key = await store.create(NewKey("ann", "", ["chat"], limits={"tokens_per_day": 9}))
    authenticator = KeyAuthenticator(store, DEFAULTS)
    caller = await authenticator.authenticate(bearer(key.text))
    await authenticator.close()
    assert (caller.owner, caller.scopes, caller.key_id) == ("ann", {"chat"}, key.key_id)
    assert caller.limits == Limits(requests_per_minute=7, tokens_per_day=9)


async def test_what_is_no_key_of_ours_is_refused_without_a_reason(store: KeyStore) -> None:
    revoked = await store.create(NewKey("ann", "", ["chat"]))
    await store.revoke(revoked.key_id)
    expired = await store.create(NewKey("ann", "", ["chat"], lifetime_s=-1))
    authenticator = KeyAuthenticator(store, DEFAULTS)
    told: set[tuple[str, str]] = set()
    for token in (
        revoked.text,
        expired.text,
        ApiKey.new().text,
        ApiKey.new(revoked.key_id).text,
        "sk-1234",
        "x" * 9999,
    ):
        with pytest.raises(AuthenticationError) as caught:
            await authenticator.authenticate(bearer(token))
        told.add((caught.value.code, caught.value.message))
    assert [code for code, _ in told] == ["invalid_key"]


async def test_no_key_is_told_how_to_send_one(store: KeyStore) -> None:
    with pytest.raises(AuthenticationError, match="X-Api-Key") as caught:
        await KeyAuthenticator(store, DEFAULTS).authenticate(Credentials(frozenset(), "127.0.0.1"))
    assert caught.value.code == "missing_key"


async def test_the_last_use_is_written_once_a_minute(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await store.create(NewKey("ann", "", ["chat"]))
    authenticator = KeyAuthenticator(store, DEFAULTS)
    now = 1_800_000_000.0
    written: list[float | None] = []
    for later_s in (0, 1, 59, 61, 90):
        clock = SimpleNamespace(time=lambda later_s=later_s: now + later_s)
        monkeypatch.setattr("server.access.authenticators.time", clock)
        await authenticator.authenticate(bearer(key.text))
        await authenticator.close()
        record = await store.find(key.key_id)
        assert record is not None
        written.append(record.last_used_at)
    assert written == [now, now, now, now + 61, now + 61]


async def test_a_use_that_cannot_be_written_does_not_refuse_the_caller(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = await store.create(NewKey("ann", "", ["chat"]))

    async def full(key_id: str, used_at: float) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(store, "note_use", full)
    authenticator = KeyAuthenticator(store, DEFAULTS)
    assert (await authenticator.authenticate(bearer(key.text))).owner == "ann"
    await authenticator.close()
    assert "could not be written" in caplog.text
