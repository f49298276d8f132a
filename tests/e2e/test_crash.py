"""A real server process, killed and stopped: nothing that was acknowledged is lost, everything has an end."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Flag

import pytest

from agent.settings import Settings
from tests.e2e.process import ROOT, Served, command, served
from tests.e2e.reading import complete, read_until_cut
from tests.fakes.endpoint import FakeEndpoint, Reply, fake_endpoint, scripted
from tests.server.site import ANSWER, DOCUMENTS, FOLLOW_UP, QUESTION, Event, Site, parse_events, settings_for
from tests.tools.knowledge.files import lines_pdf

HELD = f"{ANSWER.rstrip('.')} [1]."
STOP_S = 25.0


@pytest.fixture(scope="module")
def endpoint() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as running:
        yield running


@pytest.fixture(scope="module")
def settings(endpoint: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Settings:
    return settings_for(tmp_path_factory.mktemp("crash"), endpoint, pytestconfig)


@pytest.fixture
def held(endpoint: FakeEndpoint) -> Iterator[Flag]:
    """Makes the model stop in the middle of its answers until the flag is set."""
    flag = Flag()
    endpoint.script = lambda body: Reply(HELD, hold=flag, hold_after=3) if body["stream"] else Reply(HELD)
    yield flag
    flag.set()
    endpoint.script = scripted


def test_kill_and_stop(settings: Settings, endpoint: FakeEndpoint, held: Flag) -> None:
    """One story, since each start of a process costs seconds."""
    reached = Flag()
    with served(settings) as first, ThreadPoolExecutor(1) as reader:
        assert first.site.http.post("/documents/batch", json={"documents": DOCUMENTS}).json()["failed"] == []
        endpoint.script = scripted
        remembered = first.site.chat(thread_id="kept")
        endpoint.script = lambda _: Reply(HELD, hold=held, hold_after=3)
        reading = reader.submit(read_until_cut, first, "cut", reached)
        assert reached.wait(30)
        pages = [[f"Rule number {page} limits transfers to {page} euros."] for page in range(400)]
        assert first.site.upload("long.pdf", lines_pdf(pages), wait=False, id="long").status_code == 202
        first.kill()
        seen = parse_events(reading.result().rpartition("\n\n")[0] + "\n\n")
    held.set()
    endpoint.script = scripted

    with served(settings) as second:
        assert_the_killed_run_goes_on(second.site, seen)
        assert_the_document_says_what_happened(second.site)
        assert second.site.http.get(f"/runs/{remembered['run_id']}").json()["result"] == remembered
        assert "debit card" in second.site.chat(FOLLOW_UP, thread_id="kept")["explanation"]["query"]
        assert second.site.chat(thread_id="cut")["answer"] == f"{ANSWER} [1]"
        assert_sigterm_ends_the_stream(second, endpoint)
    assert not settings.server_file.exists()


def assert_the_killed_run_goes_on(site: Site, seen: list[Event]) -> None:
    run_id = seen[0].run_id
    rest = site.events(run_id, headers={"Last-Event-ID": f"{run_id}:{seen[-1].seq}"})
    names = complete([*seen, *rest])
    assert (names.count("run"), names.count("restart"), names[-2:]) == (1, 1, ["result", "end"])
    assert rest[-2].data["answer"] == f"{ANSWER} [1]"
    assert site.events(run_id) == [*seen, *rest]
    run = site.http.get(f"/runs/{run_id}").json()
    assert (run["status"], run["message"], run["result"]) == ("success", QUESTION, rest[-2].data)
    assert len(site.http.get("/threads/cut").json()["turns"]) == 1
    (row,) = site.rows("SELECT * FROM query_log WHERE run_id = ?", run_id)
    assert (row["query"], row["status"]) == (QUESTION, "success")


def assert_the_document_says_what_happened(site: Site) -> None:
    view = site.http.get("/documents/long").json()
    assert (view["status"], view["error"]["code"], view["chunks"]) == ("failed", "interrupted", 0)
    assert "again" in view["error"]["message"]
    body = {"query": "rule number limits transfers", "filters": {"document_ids": ["long"]}}
    assert site.http.post("/search", json=body).json()["results"] == []
    assert site.http.post("/documents/retry", json={"ids": ["long"]}).json() == {"indexed": 1, "failed": []}
    view = site.http.get("/documents/long").json()
    assert (view["status"], view["error"], view["chunks"], view["pages"]) == ("indexed", None, 400, 400)
    assert len(site.http.post("/search", json=body | {"top_k": 100}).json()["results"]) == 100


def assert_sigterm_ends_the_stream(server: Served, endpoint: FakeEndpoint) -> None:
    never, reached = Flag(), Flag()
    endpoint.script = lambda _: Reply(HELD, hold=never, hold_after=3)
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(read_until_cut, server, "stopped", reached)
        assert reached.wait(30)
        assert server.terminate(STOP_S) == 0, server.log.read_text()[-3000:]
        events = parse_events(reading.result())
    never.set()
    assert complete(events)[-2:] == ["error", "end"]
    assert events[-2].data["code"] == "shutting_down"
    (row,) = server.site.rows("SELECT * FROM runs WHERE run_id = ?", events[0].run_id)
    assert (row["status"], row["error_code"]) == ("error", "shutting_down")
    stored = server.site.rows("SELECT name FROM events WHERE run_id = ? ORDER BY seq", events[0].run_id)
    assert [row["name"] for row in stored] == [event.name for event in events]
    assert "Traceback" not in server.log.read_text()


def test_another_address_than_loopback_is_refused(tmp_path: Path) -> None:
    environment = {"SWITCHYARD_DATA_DIR": str(tmp_path), "SWITCHYARD_HOST": "0.0.0.0", "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        command("serve", "--port", "0"),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "SWITCHYARD_AUTH=off" in ended.stderr
    assert not any(tmp_path.iterdir())


def test_a_stop_during_the_first_indexing_is_clean(
    endpoint: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> None:
    settings = settings_for(tmp_path_factory.mktemp("early"), endpoint, pytestconfig, samples="on")
    with served(settings, ready=False) as server:
        assert server.terminate(STOP_S) == 0, server.log.read_text()[-3000:]
    assert "Traceback" not in server.log.read_text()
