"""A browser, the page's files served as they are for tests of single modules, and the real server for the rest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from selenium import webdriver

from tests.browser import chromium, live

UI = Path(__file__).parents[2] / "server" / "ui"


class _Files(SimpleHTTPRequestHandler):
    """`/ui/...` and `/` from `server/ui`, as the server serves them; everything else is 404."""

    def translate_path(self, path: str) -> str:
        return super().translate_path("/index.html" if path == "/" else path.removeprefix("/ui"))

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test output free of requests."""


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if not chromium.is_installed():
        pytest.skip(f"chromium is missing: {chromium.INSTALL}")
    with chromium.start(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="session")
def static_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(UI)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(driver: webdriver.Chrome, static_url: str) -> chromium.Tab:
    """The page without a server behind it: its modules can be imported and called."""
    tab = chromium.Tab(driver, static_url, patience_s=10)
    tab.view(chromium.DESKTOP)
    tab.open()
    return tab


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of the real server; SWITCHYARD_TEST_URL names one that runs already."""
    if running := os.environ.get("SWITCHYARD_TEST_URL"):
        yield running.rstrip("/")
        return
    with live.serve(tmp_path_factory.mktemp("served") / "data") as url:
        yield url


@pytest.fixture
def site(driver: webdriver.Chrome, live_server: str) -> chromium.Tab:
    """The page on the real server, in a new conversation on a desktop."""
    tab = chromium.Tab(driver, live_server, patience_s=120)
    tab.view(chromium.DESKTOP)
    tab.open()
    tab.one(".example")
    return tab
