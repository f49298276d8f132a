"""Without a model: answers that say so, and errors that say when to try again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.server.errors import assert_error
from tests.server.site import ANSWER, Site, open_site
from tests.server.test_extract import INVOICE
from tests.server.test_fraud import TEXT, TRANSACTION

DOWN = "http://127.0.0.1:9/v1"


@pytest.fixture(scope="module")
def down(_fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Site]:
    """A server whose models listen nowhere."""
    folder = tmp_path_factory.mktemp("down")
    with open_site(folder, _fake, pytestconfig, models=_fake.models_file(folder / "down.yaml", url=DOWN)) as site:
        yield site


def assert_degraded_answer(site: Site) -> None:
    result = site.chat()
    assert result["degraded"] is True
    assert result["route"] == "knowledge"
    assert "does not answer" in result["answer"]
    assert ANSWER in result["answer"]
    assert result["citations"][0]["quote"] == ANSWER


def test_a_question_is_answered_by_the_closest_sentence(down: Site) -> None:
    assert_degraded_answer(down)


def test_a_fraud_turn_shows_the_flags_and_no_probability(down: Site) -> None:
    result = down.chat(f"Is this fraud? {TEXT}")
    assert (result["route"], result["degraded"], result["reason"]) == ("fraud", True, "model_unavailable")
    assert result["fraud"] is None


def test_a_fraud_score_is_refused_with_the_time_to_try_again(down: Site) -> None:
    answer = down.http.post("/fraud/score", json={"transaction": TRANSACTION})
    assert_error(answer, 503, "model_unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_an_extraction_goes_on_without_the_model(down: Site) -> None:
    answer = down.http.post("/extract", json={"text": INVOICE, "schema": "invoice"})
    assert answer.status_code == 200
    assert answer.json()["data"]["invoice_number"] == "INV-2041"


def test_repeated_failures_open_the_circuit(down: Site) -> None:
    for _ in range(6):
        down.http.post("/fraud/score", json={"transaction": TRANSACTION})
    assert down.http.get(f"{down.url}/health").json()["roles"]["answer"]["circuit"] == "open"
    assert_degraded_answer(down)


@pytest.mark.parametrize(
    "reply",
    [Reply(status=500), Reply(status=429), Reply("Halfway through an answer", cut_after=2), Reply("")],
    ids=["500", "429", "disconnect", "nothing said"],
)
def test_an_endpoint_that_fails_in_between_gives_a_defined_answer(site: Site, fake: FakeEndpoint, reply: Reply) -> None:
    fake.script = lambda _: reply
    result = site.chat()
    fake.script = lambda _: Reply(f"{ANSWER.rstrip('.')} [1].")
    assert result["degraded"] or result["abstained"]
    assert site.chat()["degraded"] is False
