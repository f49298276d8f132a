"""The page on the real server: the four routes, documents, feedback, keyboard and phone.

With SWITCHYARD_SCREENSHOTS=1 the pictures of the README are taken on the way (docs/images/).
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.chromium import PHONE, Tab
from tests.tools.extraction.documents import DOCUMENTS, SAID

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.timeout(400)]

IMAGES = Path(__file__).parents[2] / "docs" / "images"
QUESTION = "How long do debit card holders have to dispute a transaction?"
HOSTILE = "<img src=x onerror=document.title=1>"
TRANSACTION = (
    "Is this fraud? Card-not-present payment of 1,840.00 EUR at Voltaro Electronics in Lagos, Nigeria at 03:12."
)
DELIVERY_NOTE = "DELIVERY NOTE\n\nDelivery number: DN-7714\nShipped on: 4 March 2026\nCarrier: Gannet Ferries\n"
OWN_SCHEMA = {
    "type": "object",
    "properties": {
        "delivery_number": {"type": "string"},
        "shipped_on": {"type": "string", "format": "date"},
        "warranty_years": {"type": "integer"},
    },
}


def test_a_question_is_answered_with_a_passage_that_opens_highlighted(site: Tab) -> None:
    turn = choose_example(site, "knowledge")
    assert route_of(turn) == "knowledge"
    assert "90 days" in turn.find_element(By.CSS_SELECTOR, ".prose").text
    cite = turn.find_element(By.CSS_SELECTOR, ".cite")
    cite.click()
    mark = site.one("#panel mark")
    assert site.driver.execute_script(IN_VIEW, mark)
    assert len(mark.text) > 20
    assert site.one("#panel-title").text in cite.get_attribute("aria-label")
    picture(site, "page-knowledge")
    site.keys(Keys.ESCAPE)
    assert not site.one("#panel").is_displayed()
    assert site.focused == cite
    assert site.errors() == []


def test_a_document_becomes_a_table_whose_values_point_at_the_source(site: Tab) -> None:
    turn = choose_example(site, "extraction")
    assert route_of(turn) == "extraction"
    values = turn.find_elements(By.CSS_SELECTOR, ".fields .value")
    assert "2024-0418" in [value.text for value in values]
    for value in values[:8]:
        site.driver.execute_script("arguments[0].focus()", value)
        active = turn.find_elements(By.CSS_SELECTOR, ".source-text mark.active")
        assert active, value.text
    site.driver.execute_script("arguments[0].focus()", values[0])
    picture(site, "page-extraction")
    assert site.errors() == []


def test_every_kind_becomes_a_table_whose_values_point_at_the_source(site: Tab) -> None:
    for kind, text in DOCUMENTS.items():
        turn = site.ask(f"Extract the fields of this document:\n{text}")
        assert route_of(turn) == "extraction", kind
        values = turn.find_elements(By.CSS_SELECTOR, ".fields .value")
        assert str(SAID[kind][1]) in [value.text for value in values], kind
        site.driver.execute_script("arguments[0].focus()", values[0])
        assert turn.find_elements(By.CSS_SELECTOR, ".source-text mark.active"), kind
    assert site.errors() == []


def test_a_pasted_schema_of_ones_own_decides_the_fields_of_the_table(site: Tab) -> None:
    turn = site.ask(f"Extract the fields of this JSON schema:\n{json.dumps(OWN_SCHEMA)}\n\n{DELIVERY_NOTE}")
    assert route_of(turn) == "extraction"
    names = [name.text for name in turn.find_elements(By.CSS_SELECTOR, ".fields th[scope=row]")]
    assert names == ["Delivery number", "Shipped on", "Warranty years"]
    values = turn.find_elements(By.CSS_SELECTOR, ".fields .value")
    assert [value.text for value in values] == ["DN-7714", "2026-03-04"]
    for value, quote in zip(values, ("DN-7714", "4 March 2026"), strict=True):
        site.driver.execute_script("arguments[0].focus()", value)
        assert [mark.text for mark in turn.find_elements(By.CSS_SELECTOR, ".source-text mark.active")] == [quote]
    picture(site, "page-own-schema")
    assert site.errors() == []


def test_a_transaction_gets_a_card_with_its_evidence(site: Tab) -> None:
    turn = choose_example(site, "fraud")
    assert route_of(turn) == "fraud"
    score = int(turn.find_element(By.CSS_SELECTOR, ".gauge-score").text)
    probability = float(turn.find_element(By.CSS_SELECTOR, ".probability strong").text)
    assert abs(score - 100 * probability) <= 0.56
    assert turn.find_element(By.CSS_SELECTOR, ".verdict").text in ("Fraud", "Legitimate")
    assert turn.find_element(By.CSS_SELECTOR, ".probability .tag").text in ("calibrated", "uncalibrated")
    assert turn.find_elements(By.CSS_SELECTOR, ".flag-evidence")
    picture(site, "page-fraud")
    assert site.errors() == []


def test_what_nothing_answers_ends_as_unknown_with_things_to_ask(site: Tab) -> None:
    turn = choose_example(site, "unknown")
    assert route_of(turn) == "unknown"
    assert not turn.find_elements(By.CSS_SELECTOR, ".cite, .source-item")
    assert turn.find_element(By.CSS_SELECTOR, ".reason").text
    picture(site, "page-unknown")
    chip = turn.find_element(By.CSS_SELECTOR, ".suggestion")
    asked = chip.text
    chip.click()
    site.until(lambda: len(site.all(".turn")) == 2)
    assert site.settled().find_element(By.CSS_SELECTOR, ".bubble").text == asked


def test_an_uploaded_document_can_be_read_attached_and_deleted(site: Tab, tmp_path: Path) -> None:
    hostile = tmp_path / f"{HOSTILE}.txt"
    script = "<script>document.title = 'owned'</script>"
    hostile.write_text(f"{HOSTILE}\nReceipt 77-Q\nDate: 4 March 2026\nTotal: 12.40 EUR\n{script}")
    (tmp_path / "empty.txt").touch()
    site.click("#tab-documents")
    site.one("#library-files").send_keys(f"{hostile}\n{tmp_path / 'empty.txt'}")
    assert site.one(".item[data-state=failed] .item-error").text
    site.until(lambda: item(site, HOSTILE).get_attribute("data-state") == "indexed")
    item(site, HOSTILE).find_element(By.CSS_SELECTOR, "button.item-title").click()
    site.until(lambda: "<script>" in site.one("#panel-body").text)
    site.keys(Keys.ESCAPE)

    site.click_in(item(site, HOSTILE), "[aria-label^=Attach]")
    assert HOSTILE in site.one(".chip").text
    turn = site.ask("Extract the receipt")
    assert HOSTILE in turn.find_element(By.CSS_SELECTOR, ".file-tag").text
    assert "12.40 EUR" in turn.find_element(By.CSS_SELECTOR, ".source-text").text

    site.click_in(item(site, HOSTILE), "[aria-label^=Delete]")
    site.click_in(item(site, HOSTILE), ".armed")
    site.until(lambda: not any(HOSTILE in each.text for each in site.all("#documents .item")))
    picture(site, "page-documents")
    assert site.driver.title.endswith("Switchyard")
    assert not site.all("img")
    assert site.errors() == []


def test_feedback_and_the_conversation_survive_a_reload(site: Tab) -> None:
    answer = site.ask(QUESTION).find_element(By.CSS_SELECTOR, ".prose").text
    site.click("[aria-label='Bad answer']")
    comment = site.one(".comment input")
    comment.send_keys("The window is right, the card type is missing.", Keys.ENTER)
    site.until(lambda: "Thank you." in site.one(".comment-place").text)
    assert not site.all(".toast")

    site.driver.refresh()
    assert site.settled().find_element(By.CSS_SELECTOR, ".prose").text == answer
    title = site.one(".thread [aria-current=page] .item-title").text
    site.click_in(site.one(".thread:has([aria-current=page])"), ".icon-button")
    site.click_in(site.one(".thread:has([aria-current=page])"), ".armed")
    site.one(".example")
    assert site.one("#thread-title").text != title


def test_a_run_can_be_stopped(site: Tab) -> None:
    site.send(QUESTION)
    site.click("#stop")
    site.settled()
    assert site.one("#send").is_displayed()
    assert site.ask(TRANSACTION).find_elements(By.CSS_SELECTOR, ".gauge")


def test_everything_is_reachable_by_keyboard(site: Tab) -> None:
    site.driver.execute_script("document.activeElement.blur()")
    site.keys(Keys.TAB)
    assert site.focused.text == "Skip to the message box"
    site.keys(Keys.ENTER)
    assert site.focused.get_attribute("id") == "message"
    site.keys("How long do debit card holders", Keys.SHIFT + Keys.ENTER + Keys.SHIFT, "have to dispute?", Keys.ENTER)
    turn = site.settled()
    assert turn.find_element(By.CSS_SELECTOR, ".bubble").text.count("\n") == 1
    tab_back_to(site, "cite")
    cite = site.focused
    assert site.driver.execute_script("return getComputedStyle(arguments[0]).outlineStyle", cite) == "solid"
    site.keys(Keys.ENTER)
    site.until(lambda: site.focused.get_attribute("id") == "panel-title")
    site.keys(Keys.ESCAPE)
    assert site.focused == cite


def test_a_phone_gets_a_drawer_and_a_bottom_sheet(site: Tab) -> None:
    site.view(PHONE)
    picture(site, "phone-start")
    choose_example(site, "extraction")
    assert not overflows(site)
    picture(site, "phone-extraction")
    turn = site.ask(QUESTION)
    turn.find_element(By.CSS_SELECTOR, ".cite").click()
    site.one("#panel mark")
    sheet = site.one("#panel").rect
    assert (sheet["x"], sheet["width"]) == (0, PHONE[0])
    assert sheet["y"] > 100
    picture(site, "phone-citation")
    site.keys(Keys.ESCAPE)
    assert not overflows(site)

    site.click("#open-sidebar")
    assert site.focused.get_attribute("id") == "close-sidebar"
    site.keys(Keys.ESCAPE)
    site.until(lambda: not site.one("#sidebar").is_displayed())
    assert site.focused.get_attribute("id") == "open-sidebar"


def test_the_page_in_the_dark(site: Tab) -> None:
    site.view((1280, 800), dark=True)
    choose_example(site, "fraud")
    background = site.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert max(int(channel) for channel in re.findall(r"\d+", background)) < 60
    picture(site, "page-dark")


IN_VIEW = """
const { top, bottom } = arguments[0].getBoundingClientRect();
const body = document.getElementById("panel-body").getBoundingClientRect();
return top >= body.top && bottom <= body.bottom;
"""


def choose_example(site: Tab, route: str) -> WebElement:
    site.click(f".example:has([data-route={route}])")
    site.one(".turn")
    return site.settled()


def route_of(turn: WebElement) -> str | None:
    return turn.find_element(By.CSS_SELECTOR, ".badge").get_attribute("data-route")


def item(site: Tab, title: str) -> WebElement:
    """The row of a document in the sidebar, waiting for it."""
    return site.until(lambda: next((row for row in site.all("#documents .item") if title in row.text), None))


def tab_back_to(site: Tab, css_class: str) -> None:
    for _ in range(40):
        site.keys(Keys.SHIFT + Keys.TAB + Keys.SHIFT)
        if css_class in (site.focused.get_attribute("class") or "").split():
            return
    raise AssertionError(f"no element of class {css_class!r} in the tab order")


def overflows(site: Tab) -> bool:
    return site.driver.execute_script("return document.documentElement.scrollWidth > innerWidth")


def picture(site: Tab, name: str) -> None:
    if os.environ.get("SWITCHYARD_SCREENSHOTS") == "1":
        IMAGES.mkdir(parents=True, exist_ok=True)
        site.driver.save_screenshot(str(IMAGES / f"{name}.png"))
