"""The review queue on the page: a real server whose model finds every transaction borderline."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.chromium import DESKTOP, PHONE, Tab
from tests.fakes.endpoint import FakeEndpoint, fake_endpoint
from tests.server.reviews.waiting import TRANSACTION, borderline, decide, open_reviews, paused
from tests.server.site import Site, open_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

HOSTILE = "<img src=x onerror=document.title=1>"


@pytest.fixture(scope="module")
def model() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as endpoint:
        endpoint.script = borderline
        yield endpoint


@pytest.fixture(scope="module")
def office(
    model: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("office"), model, pytestconfig) as opened:
        yield opened


@pytest.fixture
def desk(driver: webdriver.Chrome, office: Site) -> Tab:
    """The page on a server with an empty queue."""
    for review in open_reviews(office):
        decide(office, review["run_id"])
    tab = Tab(driver, office.url, patience_s=60)
    tab.view(DESKTOP)
    tab.open()
    tab.one(".example")
    return tab


def rows(desk: Tab) -> list[WebElement]:
    return desk.all("#reviews button.item-title")


def queue_of(desk: Tab, waiting: int) -> list[WebElement]:
    """The queue's rows, once there are so many."""
    desk.click("#tab-reviews")
    return desk.until(lambda: rows(desk) if len(rows(desk)) == waiting else None)


def open_first(desk: Tab) -> None:
    rows(desk)[0].click()
    desk.one("#panel .review-form")


def test_an_empty_queue_says_so(desk: Tab) -> None:
    desk.click("#tab-reviews")
    desk.until(lambda: "Nothing waits for a decision." in desk.one("#reviews").text)
    assert desk.one("#review-count").text == ""
    assert desk.errors() == []


def test_a_chat_waits_and_the_decision_comes_into_it(desk: Tab) -> None:
    turn = desk.ask(TRANSACTION)
    assert "Waits for a person" in turn.find_element(By.CSS_SELECTOR, ".review").text
    desk.until(lambda: desk.one("#review-count").text == "1")
    assert desk.one("#tab-reviews").get_attribute("aria-label") == "Reviews, 1 decision waiting"
    queue_of(desk, 1)
    open_first(desk)
    panel = desk.one("#panel").text
    assert "Is this transaction fraud?" in panel
    assert "950" in panel
    assert desk.all("#panel .flag-evidence")
    desk.one("#review-comment").send_keys(f"Known customer {HOSTILE}")
    desk.click("#panel [data-decision=reject]")
    desk.until(lambda: len(desk.all(".turn")) == 2)
    decided = desk.settled()
    assert "LEGITIMATE" in decided.find_element(By.CSS_SELECTOR, ".prose").text
    note = decided.find_element(By.CSS_SELECTOR, ".review").text
    assert note == f"Overridden by a person: Legitimate. “Known customer {HOSTILE}”"
    desk.until(lambda: "Overridden by a person" in desk.all(".turn")[0].text)
    assert not desk.one("#panel").is_displayed()
    assert desk.one("#review-count").text == ""
    assert not desk.all("img")
    assert desk.errors() == []


def test_the_oldest_comes_first_and_keys_are_enough(desk: Tab, office: Site, model: FakeEndpoint) -> None:
    first, second = paused(office, model), paused(office, model)
    desk.driver.refresh()
    desk.until(lambda: desk.one("#review-count").text == "2")
    desk.driver.execute_script("document.getElementById('tab-threads').focus()")
    desk.keys(Keys.ARROW_LEFT)
    assert desk.focused.get_attribute("id") == "tab-reviews"
    tab_to(desk, "item-title")
    desk.keys(Keys.ENTER)
    desk.until(lambda: desk.focused.get_attribute("id") == "panel-title")
    desk.one("#panel .review-form")
    tab_to(desk, "button", "approve")
    desk.keys(Keys.ENTER)
    desk.until(lambda: len(rows(desk)) == 1)
    desk.until(lambda: desk.focused.get_attribute("id") == "tab-reviews")
    assert [review["run_id"] for review in open_reviews(office)] == [second["run_id"]]
    assert office.http.get(f"/reviews/{first['run_id']}").json()["outcome"]["label"] == "FRAUD"


def test_an_escalated_review_stays_and_shows_it(desk: Tab, office: Site, model: FakeEndpoint) -> None:
    paused(office, model)
    desk.driver.refresh()
    queue_of(desk, 1)
    open_first(desk)
    desk.click("#panel [data-decision=escalate]")
    desk.until(lambda: desk.all("#reviews .item[data-state=escalated]"))
    assert "Escalated" in desk.one("#reviews .item-meta").text
    open_first(desk)
    assert not desk.all("#panel [data-decision=escalate]")
    assert "Escalated" in desk.one(".review-history").text


def test_a_review_that_somebody_else_decided_shows_the_outcome(desk: Tab, office: Site, model: FakeEndpoint) -> None:
    asked = paused(office, model)
    desk.driver.refresh()
    queue_of(desk, 1)
    open_first(desk)
    with ThreadPoolExecutor(1) as colleague:
        colleague.submit(decide, office, asked["run_id"], "reject").result()
    desk.click("#panel [data-decision=approve]")
    desk.until(lambda: "decided before: LEGITIMATE" in desk.one("#panel .notice").text)
    desk.click("#panel .notice .button")
    desk.until(lambda: not desk.all("#panel .review-form") and "Decided: Legitimate" in desk.one("#panel").text)


def test_a_queue_that_cannot_be_read_offers_to_try_again(desk: Tab) -> None:
    script = "const { queue } = await load('reviewqueue'); await queue.refresh();"
    desk.click("#tab-reviews")
    desk.module(f"window.real = window.fetch; window.fetch = async () => {{ throw new TypeError('gone'); }}; {script}")
    assert "cannot be reached" in desk.one("#reviews .notice").text
    desk.module("window.fetch = window.real;")
    desk.click("#reviews .notice .button")
    desk.until(lambda: "Nothing waits" in desk.one("#reviews").text)


def test_on_a_phone_nothing_is_cut_off(desk: Tab, office: Site, model: FakeEndpoint) -> None:
    paused(office, model)
    desk.view(PHONE)
    desk.driver.refresh()
    desk.click("#open-sidebar")
    queue_of(desk, 1)
    assert not overflows(desk, "#sidebar .tabs")
    open_first(desk)
    assert not overflows(desk, "#panel-body")
    desk.click("#panel [data-decision=approve]")
    desk.until(lambda: not desk.one("#panel").is_displayed())
    assert open_reviews(office) == []


def test_a_conversation_that_is_read_again_tells_what_became_of_it(
    desk: Tab, office: Site, model: FakeEndpoint
) -> None:
    asked = paused(office, model)
    desk.open(f"/#thread={asked['thread_id']}")
    assert "Waits for a person" in desk.settled().find_element(By.CSS_SELECTOR, ".review").text
    desk.click(".review .text-button")
    desk.click("#panel [data-decision=escalate]")
    desk.until(lambda: "Escalated" in desk.one(".turn .review").text)
    decide(office, asked["run_id"])
    desk.driver.refresh()
    desk.until(lambda: len(desk.all(".turn")) == 2)
    desk.until(lambda: "Confirmed by a person: Fraud" in desk.all(".turn")[0].text)
    assert office.http.delete(f"/threads/{asked['thread_id']}").status_code == 204
    desk.click(".turn .review .text-button")
    desk.until(lambda: "There is no review" in desk.one("#panel .notice").text)


def overflows(desk: Tab, selector: str) -> bool:
    return desk.driver.execute_script("return arguments[0].scrollWidth > arguments[0].clientWidth", desk.one(selector))


def tab_to(desk: Tab, css_class: str, decision: str | None = None) -> None:
    for _ in range(40):
        desk.keys(Keys.TAB)
        focused = desk.focused
        if css_class in (focused.get_attribute("class") or "").split() and (
            decision is None or focused.get_attribute("data-decision") == decision
        ):
            return
    raise AssertionError(f"no element of class {css_class!r} in the tab order")
