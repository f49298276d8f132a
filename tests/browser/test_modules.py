"""The page's modules, one by one, in the browser they run in."""

from __future__ import annotations

import re

import pytest

from tests.browser.chromium import Tab
from tests.browser.conftest import UI

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
RENDER = """
const { render } = await load("markdown");
const place = document.createElement("div");
place.append(...render(args[0], (n) => (n <= 2 ? document.createTextNode(`{${n}}`) : null)));
return place.innerHTML;
"""
LOCATE = """
const { locate } = await load("passages");
const span = locate(...args);
return span && args[0].slice(span.start, span.end);
"""
READ = """
const { readEvents } = await load("sse");
const bytes = new TextEncoder().encode(args[0]);
const body = new ReadableStream({
  start(controller) {
    for (let at = 0; at < bytes.length; at += args[1]) controller.enqueue(bytes.slice(at, at + args[1]));
    controller.close();
  },
});
const events = [];
for await (const event of readEvents(body)) events.push(event);
return events;
"""
# A server that cuts the first stream after three events, refuses the next connection, then goes on as it is asked.
FOLLOW = """
const { chat } = await load("runs");
const tokens = ["a", "b", "c"].map((text) => ["token", { text }]);
const events = [["run", { run_id: "r1", thread_id: "t" }], ...tokens, ["end", {}]];
const wire = ([event, data], index) => `id: r1:${index + 1}\\nevent: ${event}\\ndata: ${JSON.stringify(data)}\\n\\n`;
const stream = (from, to) => new Response(events.map(wire).slice(from, to).join(""));
const requests = [];
const { fetch } = window;
window.fetch = async (url, init) => {
  // The page itself asks for other things at the same time.
  if (!/\\/(chat|events)$/.test(url)) return fetch(url, init);
  requests.push([init.method, url, init.headers["Last-Event-ID"] ?? null]);
  if (requests.length === 1) return stream(0, 3);
  if (requests.length === 2) throw new TypeError("Failed to fetch");
  return stream(3, 5);
};
let drops = 0;
const seen = [];
const options = { signal: new AbortController().signal, onDrop: () => (drops += 1) };
for await (const { event, data } of chat({ message: "x" }, options)) seen.push(data.text ?? event);
return { seen, requests, drops };
"""


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One\ntwo\n\nthree", "<p>One<br>two</p><p>three</p>"),
        (
            "- a\n- **b**\n\n1. c\n2) d",
            '<ul><li>a</li><li><strong>b</strong></li></ul><ol start="1"><li>c</li><li>d</li></ol>',
        ),
        ("Use `x < 1`\n```\n**raw**\n", "<p>Use <code>x &lt; 1</code></p><pre><code>**raw**\n</code></pre>"),
        (
            "Yes [1], **both [1, 2]**; not [3] or [1, 9].",
            "<p>Yes{1}, <strong>both{1}{2}</strong>; not [3] or [1, 9].</p>",
        ),
        (
            "[a link](javascript:alert(1)) ![](http://example.test/p.png)",
            "<p>[a link](javascript:alert(1)) ![](http://example.test/p.png)</p>",
        ),
        ("**open and `open", "<p>**open and `open</p>"),
        ("", ""),
    ],
)
def test_markdown_becomes_nodes(page: Tab, text: str, html: str) -> None:
    assert page.module(RENDER, text) == html


def test_markdown_never_makes_elements_of_markup(page: Tab) -> None:
    html = page.module(RENDER, f"{HOSTILE}\n\n- {HOSTILE}\n\n```\n{HOSTILE}\n```\n\n**{HOSTILE}**")
    assert set(re.findall(r"<(\w+)", html)) == {"p", "ul", "li", "pre", "code", "strong"}


@pytest.mark.parametrize(
    ("text", "quote", "page_number", "found"),
    [
        ("The window is\n  120 days.", "window is 120 days", None, "window is\n  120 days"),
        ("a “quoted” word", 'A "QUOTED" word', None, "a “quoted” word"),
        ("fee one\ffee two\ffee two", "fee", 2, "fee"),
        ("charge\u00adback rules", "chargeback rules", None, "charge\u00adback rules"),
        ("nothing here", "absent", None, None),
        ("nothing here", "  ", None, None),
    ],
)
def test_a_quote_is_found_despite_layout(
    page: Tab, text: str, quote: str, page_number: int | None, found: str | None
) -> None:
    assert page.module(LOCATE, text, quote, page_number) == found


def test_a_repeated_quote_is_found_on_its_page(page: Tab) -> None:
    script = """
    const { locate } = await load("passages");
    return [null, 1, 2, 3, 9].map((page) => locate("fee\\ffee\\ffee", "fee", page).start);
    """
    assert page.module(script) == [0, 0, 4, 8, 0]


def test_offsets_of_python_strings_hold_beyond_the_basic_plane(page: Tab) -> None:
    text = "💳 card 🏦 bank"
    start = text.index("bank")
    script = """
    const { codePointOffsets } = await load("passages");
    const offset = codePointOffsets(args[0]);
    return args[0].slice(offset(args[1]), offset(args[2]));
    """
    assert page.module(script, text, start, start + 4) == "bank"


def test_overlapping_spans_share_their_marks(page: Tab) -> None:
    script = """
    const { markSpans } = await load("passages");
    const { nodes, marks } = markSpans("0123456789", [{ start: 1, end: 5, key: "a" }, { start: 3, end: 8, key: "b" }]);
    const text = (key) => marks.get(key).map((mark) => mark.textContent).join("");
    return [nodes.map((node) => node.textContent).join(""), text("a"), text("b")];
    """
    assert page.module(script) == ["0123456789", "1234", "34567"]


@pytest.mark.parametrize("chunk_bytes", [1, 2, 7, 10_000])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_events_are_read_whatever_the_chunks(page: Tab, chunk_bytes: int, newline: str) -> None:
    lines = [
        "id: r:1",
        "event: token",
        'data: {"text": "née 💳"}',
        "",
        ": ping",
        "",
        "event: end",
        "data: {}",
        "",
        "data: cut off",
    ]
    events = page.module(READ, newline.join(lines), chunk_bytes)
    assert events == [
        {"id": "r:1", "event": "token", "data": {"text": "née 💳"}},
        {"id": None, "event": "end", "data": {}},
    ]


def test_a_dropped_stream_goes_on_after_the_last_event(page: Tab) -> None:
    followed = page.module(FOLLOW)
    assert followed["seen"] == ["run", "a", "b", "c", "end"]
    assert followed["drops"] == 2
    assert followed["requests"] == [
        ["POST", "/api/v1/chat", None],
        ["GET", "/api/v1/runs/r1/events", "r1:3"],
        ["GET", "/api/v1/runs/r1/events", "r1:3"],
    ]


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        (422, '{"error": {"code": "empty", "message": "Nothing in it.", "trace_id": "t"}}', "empty", "Nothing in it."),
        (502, "<h1>Bad gateway</h1>", "http_502", "The server answered 502."),
        (413, "{}", "http_413", "The server answered 413."),
        (0, "", "http_0", "The server cannot be reached."),
    ],
)
def test_every_failure_has_a_code_and_a_sentence(page: Tab, status: int, body: str, code: str, message: str) -> None:
    script = "const { errorFrom } = await load('api'); const e = errorFrom(...args); return [e.code, e.message];"
    assert page.module(script, status, body) == [code, message]


def test_hostile_results_stay_text(page: Tab) -> None:
    citation = {"n": 1, "document_id": HOSTILE, "chunk_id": "c", "title": HOSTILE, "page": 1, "quote": HOSTILE}
    field = {
        "value": HOSTILE,
        "evidence": {"start": 0, "end": len(HOSTILE), "quote": HOSTILE, "page": 1},
        "confidence": 0.5,
        "reason": None,
    }
    result = {
        "run_id": "r",
        "thread_id": "t",
        "trace_id": HOSTILE,
        "route": "knowledge",
        "routed_to": "knowledge",
        "confidence": 1,
        "answer": f"{HOSTILE} [1]",
        "abstained": False,
        "reason": HOSTILE,
        "suggestions": [HOSTILE],
        "citations": [citation],
        "extraction": {
            "schema": HOSTILE,
            "data": {HOSTILE: HOSTILE, "rows": [{HOSTILE: HOSTILE}]},
            "fields": {HOSTILE: field, f"rows[0].{HOSTILE}": field},
            "warnings": [HOSTILE],
            "model": HOSTILE,
            "document_id": None,
            "source_text": HOSTILE,
        },
        "fraud": {
            "label": "FRAUD",
            "probability": 0.9,
            "calibrated": False,
            "risk_score": 90,
            "red_flags": [{"code": HOSTILE, "evidence": HOSTILE}],
            "reasoning": HOSTILE,
            "needs_review": True,
            "model": {"base": HOSTILE, "adapter": HOSTILE, "sha256": HOSTILE},
        },
        "interrupt": None,
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost_usd": 0.0},
        "timings": {"ttft_ms": None, "total_ms": 5},
    }
    script = """
    const { createTurn } = await load("turns");
    const turn = createTurn({ message: args[1], attachments: [{ title: args[1] }] }, {});
    document.getElementById("turns").replaceChildren(turn.node);
    turn.apply({ event: "result", data: args[0] });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const elements = turn.node.querySelectorAll("img, script, a, iframe").length;
    return [document.title, elements, turn.node.textContent.split("<img").length - 1];
    """
    title, elements, occurrences = page.module(script, result, HOSTILE)
    assert title == "Switchyard"
    assert elements == 0
    assert occurrences >= 15
    assert page.errors() == []


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "from the message"])
def test_pointing_at_a_field_marks_its_evidence(page: Tab, stored: bool) -> None:
    text = "Ref 95.00\n1 x Setup 95.00 95.00"
    evidence = {"start": text.rindex("95.00"), "end": len(text), "quote": "95.00", "page": 1}
    null = {"value": None, "evidence": None, "confidence": 0.9, "reason": "not_found"}
    amount = {"value": 95.0, "evidence": evidence, "confidence": 0.97, "reason": None}
    extraction = {
        "schema": "invoice",
        "model": "m",
        "document_id": None,
        "source_text": text if stored else None,
        "warnings": [],
        "data": {"due_date": None, "line_items": [{"amount": 95.0}]},
        "fields": {"due_date": null, "line_items[0].amount": amount},
    }
    script = """
    const { extractionCard } = await load("extraction");
    const card = extractionCard(args[0], args[1]);
    document.getElementById("turns").replaceChildren(card);
    card.querySelector("[data-path='line_items[0].amount'] .value").focus();
    const active = [...card.querySelectorAll("mark.active")];
    const before = active[0].previousSibling.textContent;
    const nothing = card.querySelector("[data-path=due_date] .null").textContent;
    return { active: active.map((mark) => mark.textContent), before, nothing };
    """
    shown = page.module(script, extraction, text)
    assert shown == {"active": ["95.00"], "before": "Ref 95.00\n1 x Setup 95.00 ", "nothing": "Not found"}


@pytest.mark.parametrize("cached", [True, False])
def test_an_answer_from_the_cache_is_marked(page: Tab, cached: bool) -> None:
    result = {
        "run_id": "r",
        "trace_id": "t",
        "route": "knowledge",
        "routed_to": "knowledge",
        "confidence": 1,
        "answer": "120 days.",
        "cached": cached,
        "citations": [],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0},
        "timings": {"ttft_ms": 4, "total_ms": 5},
    }
    script = """
    const { createTurn } = await load("turns");
    const turn = createTurn({ message: "How long?" }, {});
    document.getElementById("turns").replaceChildren(turn.node);
    turn.apply({ event: "result", data: args[0] });
    return turn.node.querySelector(".answer-head").textContent;
    """
    assert ("from cache" in page.module(script, result)) is cached


def test_text_has_enough_contrast_in_both_schemes() -> None:
    css = (UI / "app.css").read_text(encoding="utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)", 1)
    schemes = [_colours(light), _colours(light) | _colours(dark.split("/* Base */")[0])]
    surfaces = ["bg", "side", "surface", "raised", "hover", "trough", "thumb"]
    pairs = [(ink, paper) for ink in ("text", "muted") for paper in surfaces]
    pairs += [(hue, f"{hue}-bg") for hue in ("knowledge", "extraction", "fraud", "unknown", "bad", "warn")]
    pairs += [
        ("on-strong", "strong"),
        ("mark-text", "mark"),
        ("text", "mark-faint"),
        ("good", "surface"),
        ("bad", "surface"),
        ("bad", "side"),
    ]
    low = [(ink, paper) for scheme in schemes for ink, paper in pairs if _contrast(scheme[ink], scheme[paper]) < 4.5]
    assert low == []


def _colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*#([0-9a-f]{6})", css))


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
