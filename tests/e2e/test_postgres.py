"""Real servers that keep everything in PostgreSQL: killed and started again, and two of them on one database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Flag
from typing import Any

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from agent.settings import Settings
from server.audit.head import read_head
from server.audit.key import load_key
from server.audit.reading import check_log
from server.storage import read_audit_log
from tests.e2e.process import served
from tests.e2e.reading import complete, read_until_cut
from tests.fakes.endpoint import FakeEndpoint, Reply, fake_endpoint, scripted
from tests.postgres import Cluster
from tests.server.site import ANSWER, DOCUMENTS, QUESTION, Site, parse_events, settings_for

HELD = f"{ANSWER.rstrip('.')} [1]."


@pytest.fixture(scope="module")
def endpoint() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as running:
        yield running


@pytest.fixture
def held(endpoint: FakeEndpoint) -> Iterator[Flag]:
    """Makes the model stop in the middle of its answers, once a test says so, until the flag is set."""
    flag = Flag()
    yield flag
    flag.set()
    endpoint.script = scripted


def stop_in_the_middle(endpoint: FakeEndpoint, held: Flag) -> None:
    endpoint.script = lambda body: Reply(HELD, hold=held, hold_after=3) if body["stream"] else Reply(HELD)


def history(site: Site, thread_id: str) -> list[dict[str, Any]]:
    states = httpx.get(f"{site.url}/threads/{thread_id}/history", trust_env=False).raise_for_status().json()
    return [{"values": state["values"], "checkpoint": state["checkpoint"]} for state in states]


def test_a_kill_loses_nothing(
    endpoint: FakeEndpoint, held: Flag, postgres: Cluster, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    settings = settings_for(tmp_path, endpoint, pytestconfig, database_url=SecretStr(postgres.create()))
    reached = Flag()
    with served(settings) as first, ThreadPoolExecutor(1) as reader:
        assert first.site.http.post("/documents/batch", json={"documents": DOCUMENTS}).json()["failed"] == []
        told = first.site.stream(thread_id="kept")
        assert complete(told)[-2:] == ["result", "end"]
        assert told[-2].data["answer"] == f"{ANSWER} [1]"
        before = history(first.site, "kept")
        assert [message["type"] for message in before[0]["values"]["messages"]] == ["human", "ai"]
        stop_in_the_middle(endpoint, held)
        reading = reader.submit(read_until_cut, first, "cut", reached)
        assert reached.wait(30)
        first.kill()
        seen = parse_events(reading.result().rpartition("\n\n")[0] + "\n\n")
    held.set()
    endpoint.script = scripted
    with served(settings) as second:
        run_id = seen[0].run_id
        rest = second.site.events(run_id, headers={"Last-Event-ID": f"{run_id}:{seen[-1].seq}"})
        names = complete([*seen, *rest])
        assert (names.count("restart"), names[-2:]) == (1, ["result", "end"])
        assert rest[-2].data["answer"] == f"{ANSWER} [1]"
        assert second.site.events(told[0].run_id) == told
        assert history(second.site, "kept") == before
        assert len(history(second.site, "cut")) == len(before)
        assert "Traceback" not in second.log.read_text()
    assert_whole(settings)
    assert not settings.app_database.exists()
    assert not settings.checkpoint_database.exists()


def test_a_server_outlives_its_database_s_absence(
    endpoint: FakeEndpoint, postgres: Cluster, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    settings = settings_for(tmp_path, endpoint, pytestconfig, database_url=SecretStr(url := postgres.create()))
    with served(settings) as server:
        assert server.site.http.post("/documents/batch", json={"documents": DOCUMENTS}).json()["failed"] == []
        with postgres.away(url):
            for method, path, body in (
                ("GET", "/api/v1/threads", None),
                ("POST", "/api/v1/chat", {"message": QUESTION}),
                ("POST", "/threads", {}),
                ("GET", "/threads/some-thread/history", None),
            ):
                answer = httpx.request(method, server.site.url + path, json=body, trust_env=False, timeout=60)
                assert (answer.status_code, "database_unavailable" in answer.text) == (503, True), answer.text
                assert int(answer.headers["retry-after"]) > 0
        answer = server.site.http.post("/chat", json={"message": QUESTION, "stream": False})
        assert answer.status_code == 200, answer.text
        assert answer.json()["answer"] == f"{ANSWER} [1]"


def test_a_server_takes_over_what_another_one_left(
    endpoint: FakeEndpoint, held: Flag, postgres: Cluster, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    url = postgres.create()
    shared: dict[str, Any] = {"database_url": SecretStr(url), "audit_key": tmp_path / "audit.key"}
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = (settings_for(folder, endpoint, pytestconfig, **shared) for folder in folders)
    reached = Flag()
    with served(one) as first, served(two) as second, ThreadPoolExecutor(2) as readers:
        # Its index is its own; the second server would share it in a Qdrant server, and here answers without.
        assert first.site.http.post("/documents/batch", json={"documents": DOCUMENTS}).json()["failed"] == []
        stop_in_the_middle(endpoint, held)
        cut = readers.submit(read_until_cut, first, "shared", reached)
        assert reached.wait(30)
        [turn] = second.site.http.get("/threads/shared").json()["turns"]
        following = readers.submit(second.site.events, turn["run_id"])
        first.kill()
        cut.result()
        held.set()
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE runs SET lease_until = 1 WHERE run_id = %s", [turn["run_id"]])
        names = complete(following.result(60))
        assert (names.count("restart"), names[-2:]) == (1, ["result", "end"])
        assert second.site.http.get(f"/runs/{turn['run_id']}").json()["status"] == "success"
    assert_whole(two)


def assert_whole(settings: Settings) -> None:
    head, key = read_head(settings.audit_head_file), load_key(settings.audit_key_file)
    with read_audit_log(settings) as connection:
        checked = check_log(connection, head, key)
    assert checked.rows > 0
    assert checked.problems == []
