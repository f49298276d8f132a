"""A running server with its client, its database and a handful of documents."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.settings import Settings
from server.app import create_app
from tests.fakes.background import listening
from tests.fakes.endpoint import FakeEndpoint

QUESTION = "How long may a cardholder dispute a credit card charge?"
ANSWER = "A cardholder may dispute a credit card charge within 120 days of the posting date."
FOLLOW_UP = "And for debit cards?"
DOCUMENTS = (
    {
        "id": "disputes",
        "title": "Dispute windows",
        "text": f"# Dispute windows\n\n{ANSWER}\n\nThe branch manager signs the form.",
        "metadata": {"team": "disputes", "year": 2026},
    },
    {
        "id": "debit",
        "title": "Debit cards",
        "text": "# Debit cards\n\nA cardholder may dispute a debit card charge within 60 days of the posting date.",
        "metadata": {"team": "debit", "year": 2026},
    },
    {
        "id": "travel",
        "title": "Travel notices",
        "text": "# Travel notices\n\nA travel notice lasts 90 days and covers every card of the customer.",
        "metadata": {"team": "travel", "year": 2025},
    },
)


@dataclass(frozen=True)
class Event:
    """A server-sent event."""

    run_id: str
    seq: int
    name: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Site:
    """A server under test."""

    url: str
    settings: Settings
    http: httpx.Client

    def chat(self, message: str = QUESTION, **fields: Any) -> dict[str, Any]:
        """The result of a turn."""
        answer = self.http.post("/chat", json={"message": message, "stream": False, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stream(self, message: str = QUESTION, **fields: Any) -> list[Event]:
        """The events of a turn, read to their end."""
        answer = self.http.post("/chat", json={"message": message, **fields})
        assert answer.status_code == 200, answer.text
        return parse_events(answer.text)

    def events(self, run_id: str, **kwargs: Any) -> list[Event]:
        """The events of a run, as the run's own route tells them."""
        answer = self.http.get(f"/runs/{run_id}/events", **kwargs)
        assert answer.status_code == 200, answer.text
        return parse_events(answer.text)

    def upload(self, name: str, content: bytes, *, wait: bool = True, **fields: str) -> httpx.Response:
        """Send a file."""
        return self.http.post("/documents", params={"wait": wait}, files={"file": (name, content)}, data=fields)

    def add(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Index a text."""
        answer = self.http.post("/documents?wait=true", json=document)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def rows(self, query: str, *values: Any, checkpoints: bool = False) -> list[dict[str, Any]]:
        """Rows of a database on disk, read past the server."""
        path = self.settings.checkpoint_database if checkpoints else self.settings.app_database
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]


def parse_events(text: str) -> list[Event]:
    """Server-sent events of a whole answer; comments are skipped."""
    frames = [dict(line.split(": ", 1) for line in block.split("\n") if line) for block in text.split("\n\n")]
    events: list[Event] = []
    for frame in frames:
        if "event" in frame:
            run_id, _, seq = frame["id"].rpartition(":")
            events.append(Event(run_id, int(seq), frame["event"], json.loads(frame["data"])))
    return events


def settings_for(folder: Path, fake: FakeEndpoint, config: pytest.Config, **fields: Any) -> Settings:
    """Settings with every role at the fake endpoint, no cached answers, and the fitted router of earlier sessions."""
    # Tests ask the same question again and again, and mean each of them.
    chosen = {"samples": "off", "answer_cache": "off", "models": fake.models_file(folder / "models.yaml"), **fields}
    settings = Settings(data_dir=folder / "data", **chosen)
    # The router's vectors are cached by content, so that only the first session ever computes them.
    settings.data_dir.mkdir(exist_ok=True)
    if not settings.cache_folder.exists():
        settings.cache_folder.symlink_to(cache_folder(config))
    return settings


def cache_folder(config: pytest.Config) -> Path:
    """What can be made again, kept between test sessions."""
    return Path(config.cache.mkdir("switchyard"))


@contextmanager
def serve(settings: Settings) -> Iterator[Site]:
    """Serves the application of `settings` until the block ends, samples (none) indexed."""
    app = create_app(settings, on_open=lambda application: setattr(application, "samples_ready", True))
    with listening(app) as url, httpx.Client(base_url=f"{url}/api/v1", timeout=60, trust_env=False) as http:
        yield Site(url, settings, http)


@contextmanager
def open_site(folder: Path, fake: FakeEndpoint, config: pytest.Config, **fields: Any) -> Iterator[Site]:
    """A new server with `DOCUMENTS`."""
    with serve(settings_for(folder, fake, config, **fields)) as site:
        assert site.http.post("/documents/batch", json={"documents": DOCUMENTS}).json()["failed"] == []
        yield site


def copy_cache(config: pytest.Config, target: Path) -> None:
    """Give a server in another process the fitted router."""
    shutil.copytree(cache_folder(config), target, dirs_exist_ok=True, symlinks=True)
