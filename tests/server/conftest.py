"""The real application over a fake model endpoint, served on loopback; one for the whole session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from blockbuster import BlockBuster
from pydantic import SecretStr

from agent.settings import Settings
from server.db.engine import Database
from server.storage import open_app_database
from tests.fakes.endpoint import FakeEndpoint, fake_endpoint, scripted
from tests.postgres import Cluster
from tests.server.keyed import Keyed, open_keyed
from tests.server.site import Site, open_site, settings_for

# The packaged prompts and readings are read once, when first needed. While the server starts and stops nobody waits
# for the loop. The health report's memory figure comes from /proc, which no disk holds up. Coverage has a lock of its
# own.
_MAY_BLOCK = {
    "tools/extraction/ask.py": {"instructions"},
    "tools/extraction/schemas.py": {"_readings"},
    "tools/fraud/prompt.py": {"load_prompt"},
    "server/application.py": {"open_application"},
    "server/api/health.py": {"health"},
    "coverage/collector.py": {"lock_data"},
}


@pytest.fixture(autouse=True)
def nothing_blocks_the_event_loop() -> Iterator[None]:
    """Our code may not block an event loop: the call raises `BlockingError`, which fails the request and its test."""
    guard = BlockBuster(scanned_modules=["agent", "graphs", "server", "tools"])
    for function in guard.functions.values():
        for file, names in _MAY_BLOCK.items():
            function.can_block_in(file, names)
    guard.activate()
    yield
    guard.deactivate()


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings that keep things in each of the two places: whoever asks for them is a contract test of both."""
    if request.param == "sqlite":
        yield Settings(data_dir=tmp_path)
        return
    postgres: Cluster = request.getfixturevalue("postgres")
    url = postgres.create()
    yield Settings(data_dir=tmp_path, database_url=SecretStr(url))
    postgres.drop(url)


@pytest.fixture
def database(kept: Settings) -> Iterator[Database]:
    """An app database of the test's own, in each of the two places."""
    opened = open_app_database(kept)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def _fake() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def fake(_fake: FakeEndpoint) -> Iterator[FakeEndpoint]:
    """The model endpoint, well-behaved until a test scripts it otherwise."""
    _fake.requests.clear()
    yield _fake
    _fake.script = scripted


@pytest.fixture(scope="session")
def site(_fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Site]:
    """The server with a few documents; tests that need a state of their own use their own thread, ids or collection."""
    with open_site(tmp_path_factory.mktemp("site"), _fake, pytestconfig) as opened:
        yield opened


@pytest.fixture(scope="session")
def http(site: Site) -> httpx.Client:
    """A client of the native API."""
    return site.http


@pytest.fixture(scope="session")
def keyed(
    _fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Keyed]:
    """The server with SWITCHYARD_AUTH=keys, and keys of several people and scopes."""
    with open_keyed(settings_for(tmp_path_factory.mktemp("keyed"), _fake, pytestconfig, auth="keys")) as opened:
        yield opened
