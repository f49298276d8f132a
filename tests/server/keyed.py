"""A server that asks for keys, and the keys to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from agent.settings import Settings
from server.access.callers import Limits
from server.access.keys import ApiKey
from server.access.scopes import SCOPES, Scope
from server.access.store import KeyStore, NewKey
from server.storage import open_app_database
from tests.server.site import DOCUMENTS, Site, serve

# Name of a key -> its owner and scopes. Ann and Bob may everything, each with their own things.
KEYS: Mapping[str, tuple[str, tuple[Scope, ...]]] = {
    "ann": ("ann", tuple(SCOPES)),
    "bob": ("bob", tuple(SCOPES)),
    **{scope: ("ann", (scope,)) for scope in SCOPES},
}
_UNLIMITED = Limits()


@dataclass(frozen=True)
class Keyed:
    """A server with keys, and one key of each of `KEYS`."""

    site: Site
    keys: Mapping[str, str]

    def request(self, key: str | None, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """A request with the key of this name (or with the key given, or none)."""
        headers = kwargs.pop("headers", {})
        if key is not None:
            headers = {"Authorization": f"Bearer {self.keys.get(key, key)}", **headers}
        return httpx.request(method, self.site.url + path, headers=headers, timeout=60, trust_env=False, **kwargs)

    def make(self, owner: str, *scopes: Scope, **fields: Any) -> str:
        """Another key, made while the server runs."""
        return make_key(self.site.settings, owner, *scopes, **fields)


def with_store(settings: Settings, work: Callable[[KeyStore], Coroutine[Any, Any, Any]]) -> Any:
    """What `work(store)` returns; the database is opened beside whoever has it open, as commands do."""
    database = open_app_database(settings)
    try:
        return asyncio.run(work(KeyStore(database)))
    finally:
        database.close()


def make_key(settings: Settings, owner: str, *scopes: Scope, lifetime_s: float | None = None, **limits: float) -> str:
    """A key without limits but those that are named."""
    chosen: dict[str, float | None] = {**vars(_UNLIMITED), **limits}
    key: ApiKey = with_store(settings, lambda store: store.create(NewKey(owner, "", scopes, lifetime_s, chosen)))
    return key.text


@contextmanager
def open_keyed(settings: Settings) -> Iterator[Keyed]:
    """Serves `settings` (with `auth="keys"`); `DOCUMENTS` are Ann's."""
    keys = {name: make_key(settings, owner, *scopes) for name, (owner, scopes) in KEYS.items()}
    with serve(settings) as site:
        keyed = Keyed(site, keys)
        answer = keyed.request("ann", "POST", "/api/v1/documents/batch", json={"documents": DOCUMENTS})
        assert answer.json()["failed"] == []
        yield keyed
