"""The page of a server that asks for keys: the question, the header, and what is kept."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Tab

pytestmark = pytest.mark.browser

# A server that knows one key. Every request is noted with the key that it brought.
SERVER = """
const api = await load("api");
window.seen = [];
const refused = { error: { code: "invalid_key", message: "Not known.", trace_id: "t" } };
window.fetch = async (url, { headers = {} }) => {
  if (!url.startsWith("/api/")) return new Response("", { status: 503 });
  seen.push([url, headers.Authorization ?? null]);
  const known = headers.Authorization === "Bearer good";
  return new Response(JSON.stringify(known ? { threads: [], documents: [] } : refused), { status: known ? 200 : 401 });
};
window.answers = [];
const note = (call) => call().then(() => answers.push("ok"), (error) => answers.push(error.code));
window.ask = () => { note(api.listThreads); note(api.listDocuments); };
"""


@pytest.fixture
def asking(page: Tab) -> Tab:
    """The page, its key forgotten, before a server that wants one."""
    page.module("sessionStorage.clear();")
    page.open()
    # The static server has no API: whatever the page itself asked for is over before the server is put in its place.
    page.one("#threads")
    page.module(SERVER)
    return page


def type_key(page: Tab, key: str) -> None:
    page.until(lambda: page.one("#key-dialog").is_displayed())
    page.one("#key").send_keys(key, Keys.ENTER)


def test_one_question_serves_all_who_wait(asking: Tab) -> None:
    asking.module("ask();")
    type_key(asking, "  good ")
    asking.until(lambda: asking.module("return answers;") == ["ok", "ok"])
    seen = asking.module("return seen;")
    assert {tuple(each) for each in seen[:2]} == {("/api/v1/threads", None), ("/api/v1/documents", None)}
    assert {tuple(each) for each in seen[2:]} == {
        ("/api/v1/threads", "Bearer good"),
        ("/api/v1/documents", "Bearer good"),
    }
    assert not asking.one("#key-dialog").is_displayed()
    assert asking.one("#key").get_property("value") == ""


def test_a_wrong_key_is_asked_for_again(asking: Tab) -> None:
    asking.module("ask();")
    type_key(asking, "bad")
    asking.until(lambda: "not known" in asking.one("#key-reason").text)
    type_key(asking, "good")
    asking.until(lambda: asking.module("return answers;") == ["ok", "ok"])


def test_whoever_closes_the_question_gets_the_refusal(asking: Tab) -> None:
    asking.module("ask();")
    asking.until(lambda: asking.one("#key-dialog").is_displayed())
    asking.keys(Keys.ESCAPE)
    asking.until(lambda: asking.module("return answers;") == ["invalid_key", "invalid_key"])


def test_the_key_is_kept_for_the_tab_only_and_can_be_forgotten(asking: Tab) -> None:
    asking.module("ask();")
    type_key(asking, "good")
    asking.until(lambda: asking.module("return answers.length;") == 2)
    assert asking.module("return [localStorage.length, document.cookie, location.href.includes('good')];") == [
        0,
        "",
        False,
    ]
    asking.open()
    asking.click("#forget-key")
    asking.until(lambda: asking.module("return sessionStorage.length;") == 0)
    asking.until(lambda: not asking.one("#forget-key").is_displayed())
