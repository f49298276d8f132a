"""Values of an extraction corrected in their place on the page: a real server over a fake model.

With SWITCHYARD_SCREENSHOTS=1 the picture of docs/extraction.md is taken on the way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.chromium import DESKTOP, PHONE, Tab
from tests.fakes.endpoint import fake_endpoint
from tests.server.site import Site, open_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

IMAGE = Path(__file__).parents[2] / "docs" / "images" / "page-correction.png"
INVOICE = """Extract the invoice

Castle Paper Ltd
12 Mill Lane

INVOICE
Invoice number: INV-2041
Invoice date: 3 May 2026
Bill to:
Larkmoor Cards DAC

Description        Qty   Unit price   Amount
Copy paper A4        3         9.50    28.50
Ball pens            2         6.00    12.00

Subtotal: 40.50
VAT: 8.10
Total: 48.60 EUR
"""
WITHOUT_ITEMS = """Extract the invoice

Castle Paper Ltd
12 Mill Lane

INVOICE
Invoice number: INV-2042
Invoice date: 3 May 2026
Bill to: Larkmoor Cards DAC

For the copy paper of April as agreed.

Total: 28.50 EUR
"""
HOSTILE = "<img src=x onerror=document.title=1>"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Site]:
    with fake_endpoint() as model, open_site(tmp_path_factory.mktemp("office"), model, pytestconfig) as opened:
        yield opened


@pytest.fixture
def desk(driver: webdriver.Chrome, office: Site) -> Tab:
    """The page with an invoice that was read."""
    tab = Tab(driver, office.url, patience_s=60)
    tab.view(DESKTOP)
    tab.open()
    tab.one(".example")
    tab.ask(INVOICE)
    return tab


def at(desk: Tab, path: str) -> WebElement:
    return desk.one(f"[data-path='{path}']")


def correct(desk: Tab, path: str, value: str) -> None:
    """Types a value into a field's form and saves it."""
    desk.click_in(at(desk, path), ".edit")
    desk.keys(Keys.CONTROL + "a" + Keys.CONTROL, value or Keys.DELETE, Keys.ENTER)


def tag(desk: Tab, path: str) -> str:
    return desk.until(lambda: at(desk, path).find_element(By.CSS_SELECTOR, ".tag").text)


def stored(office: Site) -> dict[str, Any]:
    """The last answer's corrections, by field."""
    rows = office.http.get("/extract/corrections", params={"limit": 500}).json()["corrections"]
    last = rows[-1]["run_id"] if rows else None
    return {row["field"]: row for row in rows if row["run_id"] == last}


def picture(desk: Tab) -> None:
    if os.environ.get("SWITCHYARD_SCREENSHOTS") == "1":
        desk.driver.save_screenshot(str(IMAGE))


def test_a_value_is_corrected_and_stays_so(desk: Tab, office: Site) -> None:
    correct(desk, "issue_date", "3 May 2026")
    assert tag(desk, "issue_date") == "confirmed"
    correct(desk, "total", "40.50")
    assert tag(desk, "total") == "corrected"
    correct(desk, "line_items[1].amount", "")
    assert tag(desk, "line_items[1].amount") == "corrected"
    assert at(desk, "line_items[1].amount").find_element(By.CSS_SELECTOR, ".null").text
    assert desk.focused.get_attribute("aria-label") == "Correct Amount 2"
    rows = stored(office)
    assert (rows["total"]["value"], rows["total"]["evidence"]["quote"]) == (40.5, "40.50")
    assert rows["total"]["extracted"] == {"value": 48.6}
    assert rows["line_items[1].amount"]["value"] is None
    picture(desk)
    desk.driver.refresh()
    desk.settled()
    assert tag(desk, "total") == "corrected"
    assert at(desk, "total").find_element(By.CSS_SELECTOR, ".value").text == "40.5"
    at(desk, "total").find_element(By.CSS_SELECTOR, ".value").click()
    assert desk.one(".source-text mark.active").text == "40.50"
    assert desk.errors() == []


def test_a_list_that_came_out_empty_is_filled(desk: Tab, office: Site) -> None:
    desk.ask(WITHOUT_ITEMS)
    desk.until(lambda: len(desk.all(".extraction")) == 2)
    assert not desk.all(".extraction:last-of-type [data-path='line_items'] .edit")
    last = desk.all(".extraction")[-1]
    desk.click_in(last, "[data-path='line_items'] .text-button")
    assert desk.focused.get_attribute("aria-label") == "Right value of Description 1"
    desk.keys("copy paper", Keys.ENTER)
    amount = "[data-path='line_items[0].amount']"
    desk.until(lambda: last.find_elements(By.CSS_SELECTOR, "[data-path='line_items[0].description'] .tag"))
    desk.click_in(last, f"{amount} .edit")
    desk.keys("28.50", Keys.ENTER)
    desk.until(lambda: last.find_elements(By.CSS_SELECTOR, f"{amount} .tag"))
    rows = stored(office)
    assert rows["line_items[0].description"]["evidence"]["quote"] == "copy paper"
    assert rows["line_items[0].amount"]["value"] == 28.5
    desk.driver.refresh()
    desk.settled()
    desk.until(lambda: len(desk.all(".extraction")) == 2)
    again = desk.all(".extraction")[-1]
    assert again.find_element(By.CSS_SELECTOR, amount).text.startswith("28.5")
    assert desk.errors() == []


def test_what_stands_nowhere_is_asked_about(desk: Tab, office: Site) -> None:
    correct(desk, "supplier", HOSTILE)
    problem = desk.until(lambda: desk.all(".correction-problem p"))[0]
    assert "stands nowhere in the text" in problem.text
    assert desk.focused.get_attribute("aria-invalid") == "true"
    desk.click(".correction-problem .text-button")
    assert tag(desk, "supplier") == "corrected, not in the text"
    assert HOSTILE in at(desk, "supplier").text
    assert (stored(office)["supplier"]["verbatim"], stored(office)["supplier"]["evidence"]) == (False, None)
    assert not desk.all("#turns img")
    assert desk.driver.title.endswith("Switchyard")


def test_what_the_schema_forbids_is_told_and_can_be_mended_or_left(desk: Tab, office: Site) -> None:
    correct(desk, "total", "much")
    problem = desk.until(lambda: desk.all(".correction-problem p"))[0]
    assert "the schema forbids it" in problem.text
    assert not desk.all(".correction-problem .text-button")
    desk.keys(Keys.ESCAPE)
    desk.until(lambda: not desk.all(".correction"))
    assert at(desk, "total").find_element(By.CSS_SELECTOR, ".value").text == "48.6"
    assert not at(desk, "total").find_elements(By.CSS_SELECTOR, ".tag")
    assert "total" not in stored(office) or stored(office)["total"]["run_id"] != run_of(desk)


def test_keys_are_enough(desk: Tab, office: Site) -> None:
    at(desk, "invoice_number").find_element(By.CSS_SELECTOR, ".value").click()
    desk.keys(Keys.TAB)
    assert desk.focused.get_attribute("aria-label") == "Correct Invoice number"
    outline = "const s = getComputedStyle(arguments[0]); return [s.outlineStyle, s.opacity]"
    assert desk.driver.execute_script(outline, desk.focused) == ["solid", "1"]
    desk.keys(Keys.ENTER)
    assert desk.focused.get_attribute("aria-label") == "Right value of Invoice number"
    desk.keys(Keys.ESCAPE)
    assert desk.focused.get_attribute("aria-label") == "Correct Invoice number"
    desk.keys(Keys.ENTER)
    desk.keys("INV-9", Keys.TAB, Keys.ENTER)
    desk.until(lambda: desk.all(".correction-problem .text-button"))
    desk.keys(Keys.CONTROL + "a" + Keys.CONTROL, "INV-2041", Keys.TAB, Keys.ENTER)
    assert tag(desk, "invoice_number") == "confirmed"
    assert desk.focused.get_attribute("aria-label") == "Correct Invoice number"


def test_a_server_that_cannot_be_reached_leaves_the_form(desk: Tab) -> None:
    desk.module("window.real = window.fetch; window.fetch = async () => { throw new TypeError('gone'); };")
    correct(desk, "total", "48.60")
    desk.until(lambda: "cannot be reached" in desk.one(".correction-problem").text)
    desk.module("window.fetch = window.real;")
    desk.keys(Keys.ENTER)
    assert tag(desk, "total") == "confirmed"


def test_a_phone_shows_the_buttons_and_nothing_is_cut_off(desk: Tab) -> None:
    desk.view(PHONE)
    button = at(desk, "total").find_element(By.CSS_SELECTOR, ".edit")
    # Where the source does not come to lie over it.
    desk.driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", button)
    button.click()
    field = desk.one(".correction input")
    desk.until(lambda: desk.driver.execute_script(ON_TOP, field))
    assert not desk.driver.execute_script("return document.documentElement.scrollWidth > innerWidth")


ON_TOP = """
const { x, y, width, height } = arguments[0].getBoundingClientRect();
return document.elementFromPoint(x + width / 2, y + height / 2) === arguments[0];
"""


def run_of(desk: Tab) -> str:
    return desk.driver.execute_script(
        "return [...document.querySelectorAll('.measurements dd')].map((each) => each.textContent).at(-2)"
    )
