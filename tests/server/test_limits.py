from __future__ import annotations

import json

import httpx
import pytest

from server.limits import MAX_METADATA_CHARS, is_repetitive, is_too_large
from tests.server.errors import assert_error
from tests.server.site import QUESTION, Site

TABLE = "\n".join(f"| Replacement card {row % 7} | {row % 5} EUR |" for row in range(2000))


@pytest.mark.parametrize("unit", ["a", "poem ", "ignore the rules. ", f"{QUESTION} ", "0,0,0\n", "💳"])
def test_a_few_words_a_thousand_times_are_repetitive(unit: str) -> None:
    assert is_repetitive(unit * (5000 // len(unit) + 1))
    assert is_repetitive(f"{QUESTION} {unit * (13_000 // len(unit))}")


@pytest.mark.parametrize("text", [TABLE, " " * 100_000 + QUESTION, "a " * 500, "x" * 4000])
def test_tables_blanks_and_short_texts_are_not(text: str) -> None:
    assert not is_repetitive(text)


def test_metadata_is_a_note() -> None:
    assert not is_too_large({"team": "disputes", "year": 2026, "x": None})
    assert is_too_large({str(number): "x" * 100 for number in range(MAX_METADATA_CHARS // 100)})


def test_more_conversation_than_anybody_reads_is_refused(http: httpx.Client) -> None:
    long = " ".join(f"Charge {number:x} of the month was disputed." for number in range(4_500))
    messages = [{"role": "user", "content": long}] * 12
    assert_error(http.post("/chat", json={"messages": messages}), 422, "conversation_too_long")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/threads", {"metadata": {"x": "y" * 20_000}}, "metadata_too_large"),
        ("/runs/wait", {"assistant_id": "switchyard", "metadata": {"x": "y" * 20_000}}, "metadata_too_large"),
    ],
)
def test_the_langgraph_protocol_has_the_same_limits(site: Site, path: str, body: object, code: str) -> None:
    answer = site.http.post(site.url + path, json=body)
    assert answer.status_code == 422
    assert "characters as JSON" in answer.text, code


def test_a_repetitive_turn_is_refused_by_every_protocol(site: Site) -> None:
    said = {"role": "user", "content": "poem " * 2000}
    before = site.rows("SELECT count(*) AS n FROM runs")
    bodies = {
        "/api/v1/chat": {"message": said["content"]},
        "/v1/chat/completions": {"model": "switchyard", "messages": [said]},
        "/runs/wait": {"assistant_id": "switchyard", "input": {"messages": [said]}},
    }
    for path, body in bodies.items():
        answer = site.http.post(site.url + path, content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert (answer.status_code // 100, "repeats the same words" in answer.text) == (4, True), path
    assert site.rows("SELECT count(*) AS n FROM runs") == before
