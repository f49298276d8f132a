"""A role's second model: it answers while the first does not, and what it says is not taken for the first one's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.endpoint import FakeEndpoint, Reply, fake_endpoint
from tests.server.site import ANSWER, Site, open_site

REPORT = "Report of the harbour watch.\nThe vessel Blue Heron reached the northern pier after the storm."
CITED = f"{ANSWER.rstrip('.')} [1]."


@pytest.fixture
def own() -> Iterator[FakeEndpoint]:
    """The endpoint that serves the roles while all is well."""
    with fake_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def two(own: FakeEndpoint, fake: FakeEndpoint, tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Site]:
    """A server whose answers come from `own`, and from the usual fake model otherwise."""
    file = fake.models_file(tmp_path / "two.yaml")
    catalog = json.loads(file.read_text())
    catalog["endpoints"]["own"] = {**catalog["endpoints"]["fake"], "base_url": f"{own.url}/v1"}
    for role in ("answer", "extract"):
        stand_in = {**catalog["roles"][role], "style": "quote"}
        catalog["roles"][role] = {
            **stand_in,
            "endpoint": "own",
            "model": "own",
            "style": "prose",
            "fallbacks": [stand_in],
        }
    file.write_text(json.dumps(catalog))
    with open_site(tmp_path, fake, pytestconfig, models=file, answer_cache="on") as site:
        yield site


def test_the_second_model_answers_in_its_own_way_and_its_answer_is_not_kept(
    two: Site, own: FakeEndpoint, fake: FakeEndpoint
) -> None:
    own.script = lambda _: Reply(status=500)
    for _ in range(2):
        result = two.chat()
        assert (result["degraded"], result["cached"]) == (False, False)
        assert ANSWER in result["citations"][0]["quote"]
        assert result["versions"] == {"answer_model": "fake-answer", "answer_prompt": "quote.v2"}
    assert len(fake.requests) == 2

    own.script = lambda _: Reply(CITED)
    assert two.chat()["versions"] == {"answer_model": "own", "answer_prompt": "prose.v3"}
    assert two.chat()["cached"] is True


def test_a_first_model_that_rests_is_not_waited_for(two: Site, own: FakeEndpoint) -> None:
    own.script = lambda _: Reply(status=500)
    for _ in range(5):
        two.chat()
    asked = len(own.requests)
    assert two.chat()["versions"]["answer_model"] == "fake-answer"
    assert len(own.requests) == asked


def test_where_no_model_answers_the_closest_sentence_does(two: Site, own: FakeEndpoint, fake: FakeEndpoint) -> None:
    own.script = fake.script = lambda _: Reply(status=500)
    result = two.chat()
    assert result["degraded"] is True
    assert ANSWER in result["answer"]


def test_an_extraction_names_the_model_that_answered(two: Site, own: FakeEndpoint) -> None:
    own.script = lambda _: Reply(status=500)
    schema = {"type": "object", "properties": {"vessel": {"type": "string", "description": "name of the vessel"}}}
    answer = two.http.post("/extract", json={"text": REPORT, "schema": schema})
    assert answer.status_code == 200
    assert answer.json()["model"] == "fake-extract"
