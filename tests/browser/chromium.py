"""Debian's chromium under Selenium, with the few gestures that the page tests share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

INSTALL = "apt-get install chromium chromium-driver"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars "
    # A headless machine has no mouse, and the page would show what a touch screen gets.
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"
)
DESKTOP = (1280, 800)
PHONE = (390, 844)


def is_installed() -> bool:
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


@contextmanager
def start(profile: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in [*FLAGS.split(), f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


class Tab:
    """One browser tab on the page. Selectors are CSS; waits fail after `patience_s` seconds."""

    def __init__(self, driver: webdriver.Chrome, base_url: str, patience_s: float = 60) -> None:
        self.driver = driver
        self.base_url = base_url
        self.patience_s = patience_s

    def view(self, size: tuple[int, int], *, dark: bool = False) -> None:
        """Sets the viewport in CSS pixels and the colour scheme, without animations; narrow viewports are phones.

        The page is told that it has the focus: of several browsers on a machine only one has it.
        """
        self.driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        media = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in media.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, path: str = "/") -> None:
        self.driver.get("about:blank")
        self.driver.get(self.base_url + path)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """The last element that matches, waiting for it."""
        return self.until(lambda: self.all(selector))[-1]

    def until(self, condition: Callable[[], Any]) -> Any:
        ignored = [StaleElementReferenceException]
        return WebDriverWait(self.driver, self.patience_s, 0.05, ignored).until(lambda _: condition())

    def click(self, selector: str) -> None:
        self.until(lambda: self.one(selector).is_displayed())
        self.one(selector).click()

    def click_in(self, row: WebElement, selector: str) -> None:
        """Clicks a button that comes out when the mouse is over its row."""
        ActionChains(self.driver).move_to_element(row).perform()
        row.find_element(By.CSS_SELECTOR, selector).click()

    def keys(self, *keys: str) -> None:
        """Types into whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    @property
    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    def send(self, message: str) -> None:
        """Pastes the message and presses Enter."""
        box = self.one("#message")
        box.click()
        self.driver.execute_cdp_cmd("Input.insertText", {"text": message})
        box.send_keys(Keys.ENTER)

    def ask(self, message: str) -> WebElement:
        """Sends the message and returns the finished turn."""
        before = len(self.all(".turn"))
        self.send(message)
        self.until(lambda: len(self.all(".turn")) > before)
        return self.settled()

    def settled(self) -> WebElement:
        """The last turn, once its answer is complete; a failed run fails the test with the page's message."""
        self.until(lambda: not self.all(".answer[aria-busy]"))
        turn = self.one(".turn")
        assert [notice.text for notice in turn.find_elements(By.CSS_SELECTOR, ".notice")] == []
        return turn

    def module(self, script: str, *arguments: Any) -> Any:
        """Runs an async function body in the page; `load(name)` imports a module of the page."""
        wrapped = (
            "const done = arguments[arguments.length - 1], args = [...arguments].slice(0, -1);"
            "const load = (name) => import(`/ui/js/${name}.js`);"
            f"(async () => {{ {script} }})()"
            ".then((value) => done({ value }), (error) => done({ error: String(error) }));"
        )
        answer = self.driver.execute_async_script(wrapped, *arguments)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def errors(self) -> list[str]:
        """Messages of the console at level SEVERE since the last call, except for answers with an error status."""
        entries = self.driver.get_log("browser")
        return [
            e["message"] for e in entries if e["level"] == "SEVERE" and "Failed to load resource" not in e["message"]
        ]
