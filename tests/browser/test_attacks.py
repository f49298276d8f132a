"""What attackers write stays text in the page: no element with an address, no handler, nothing fetched."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.chromium import Tab
from tests.security.cases import attacks

pytestmark = pytest.mark.browser

SHOWN = """
const { render } = await load("markdown");
const place = document.createElement("div");
document.getElementById("turns").replaceChildren(place);
place.append(...render(args[0], () => null));
const nodes = [...place.querySelectorAll("*")];
await new Promise((resolve) => setTimeout(resolve, 50));
return {
  tags: nodes.map((node) => node.localName),
  attributes: nodes.flatMap((node) => node.getAttributeNames()),
  fetched: performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => name.includes("evil")),
  title: document.title,
};
"""
TEXT_ONLY = {"p", "br", "ul", "ol", "li", "pre", "code", "strong"}
# Markdown that other renderers make something of.
MORE = [
    "![x](https://evil.example/a.png)\n\n> ![y](https://evil.example/b.png)",
    "[![x](https://evil.example/a.png)](https://evil.example)",
    "| a | ![x](https://evil.example/a.png) |\n|---|---|",
    "1. <img src=https://evil.example/a.png>\n- <svg/onload=document.title=1>",
    "**<img src=x onerror=document.title=1>** `<script>document.title=1</script>`",
    "```html\n<iframe src=https://evil.example></iframe>\n```",
    "<https://evil.example> [x]: https://evil.example\n[x]",
    "[x](data:text/html,<script>document.title=1</script>) [y](vbscript:x) [z](JaVaScRiPt:x)",
    "<math><mtext><img src=x onerror=document.title=1></mtext></math>",
    "&lt;img src=x onerror=document.title=1&gt; \\u003cscript\\u003e",
    "# <base href=https://evil.example>\n<meta http-equiv=refresh content=0;url=https://evil.example>",
]


def assert_is_text(shown: dict[str, Any]) -> None:
    assert set(shown["tags"]) <= TEXT_ONLY
    assert set(shown["attributes"]) <= {"class", "start"}
    assert (shown["fetched"], shown["title"]) == ([], "Switchyard")


@attacks("output")
def test_what_a_model_writes_stays_text(page: Tab, attack: dict[str, Any]) -> None:
    assert_is_text(page.module(SHOWN, attack["payload"]))


@pytest.mark.parametrize("text", MORE)
def test_markdown_of_other_renderers_stays_text(page: Tab, text: str) -> None:
    assert_is_text(page.module(SHOWN, text))


@attacks("file")
def test_what_a_file_holds_stays_text(page: Tab, attack: dict[str, Any]) -> None:
    assert_is_text(page.module(SHOWN, f"{attack['name']}\n\n{attack['content']}"))


def test_no_module_makes_markup_of_text(page: Tab) -> None:
    script = """
    const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
    const names = loaded.filter((name) => name.endsWith(".js"));
    const words = "innerHTML outerHTML insertAdjacentHTML document.write eval( DOMParser srcdoc".split(" ");
    const found = [];
    for (const name of names) {
      const source = await (await fetch(name)).text();
      for (const word of words)
        if (source.includes(word)) found.push([name, word]);
    }
    return [names.length, found];
    """
    count, found = page.module(script)
    assert count > 20
    assert found == []
