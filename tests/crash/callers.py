"""Clients of the server that is struck: each sends a request, keeps what it is told, and comes back for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

Kind = Literal["stream", "answer", "client", "alone"]
KINDS: tuple[Kind, ...] = ("stream", "answer", "client", "alone")
_TIMEOUT_S = 240


@dataclass(frozen=True)
class Told:
    """An event as the client got it."""

    seq: int
    name: str
    data: str


@dataclass
class Caller:
    """One request, with a key of its own.

    `stream` and `answer` speak the native API, `client` and `alone` LangGraph's protocol, with a thread and without.
    """

    kind: Kind
    key: str
    thread_id: str
    message: str
    told: list[Told] = field(default_factory=list[Told])
    run_id: str | None = None
    """Set once the server has acknowledged the request."""
    again: str | None = None
    """The run that the same request led to after the restart."""

    @property
    def acknowledged(self) -> bool:
        """Whether the client knew of its run when the server died."""
        return self.run_id is not None

    def call(self, url: str) -> None:
        """Send the request and read until the answer ends or the server dies."""
        try:
            self.run_id = self._send(url, self.told)
        except (httpx.TransportError, RefusedError):
            if self.told and self.run_id is None:
                self.run_id = json.loads(self.told[0].data)["run_id"]

    def come_back(self, url: str) -> list[Told]:
        """After the restart: the same request again, then the rest of the run; returns the rest."""
        whole: list[Told] = []
        self.again = self._send(url, whole)
        rest: list[Told] = []
        with _client(url) as http, http.stream("GET", self._place(), headers=self._cursor()) as answer:
            answer.raise_for_status()
            rest += read_events(answer.iter_lines())
        return rest

    def whole(self, url: str) -> list[Told]:
        """All events of the run, from the first."""
        with _client(url) as http, http.stream("GET", self._place()) as answer:
            answer.raise_for_status()
            return list(read_events(answer.iter_lines()))

    def _send(self, url: str, told: list[Told]) -> str:
        path, body = self._request()
        with (
            _client(url) as http,
            http.stream("POST", path, json=body, headers={"Idempotency-Key": self.key}) as answer,
        ):
            if self.kind == "answer":
                return self._read_answer(answer)
            _require_success(answer)
            for event in read_events(answer.iter_lines()):
                told.append(event)
        return json.loads(told[0].data)["run_id"]

    def _read_answer(self, answer: httpx.Response) -> str:
        answer.read()
        if answer.status_code == 409:
            # An answer that was stopped names no run; its key does.
            raise StoppedError(answer.json()["error"]["code"])
        _require_success(answer)
        return answer.json()["run_id"]

    def _request(self) -> tuple[str, Mapping[str, Any]]:
        if self.kind in ("stream", "answer"):
            body = {"message": self.message, "thread_id": self.thread_id, "stream": self.kind == "stream"}
            return "/api/v1/chat", body
        asked = {"messages": [{"role": "user", "content": self.message}]}
        run = {"assistant_id": "switchyard", "input": asked, "stream_mode": ["updates"], "durability": "sync"}
        if self.kind == "alone":
            return "/runs/stream", run
        return f"/threads/{self.thread_id}/runs/stream", run | {"if_not_exists": "create"}

    def _place(self) -> str:
        run_id = self.again
        if self.kind in ("stream", "answer"):
            return f"/api/v1/runs/{run_id}/events"
        return f"/runs/{run_id}/stream" if self.kind == "alone" else f"/threads/{self.thread_id}/runs/{run_id}/stream"

    def _cursor(self) -> dict[str, str]:
        last = self.told[-1].seq if self.told else 0
        return {"Last-Event-ID": f"{self.again}:{last}" if self.kind in ("stream", "answer") else str(last)}


class RefusedError(Exception):
    """The server takes no further requests, because it shuts down."""


class StoppedError(Exception):
    """The run was ended by the server's stop; the message is the code."""


def read_events(lines: Iterable[str]) -> Iterable[Told]:
    """Server-sent events of a stream, each as soon as it is complete."""
    frame: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            frame[name] = value
        elif "event" in frame:
            yield Told(int(frame["id"].rpartition(":")[2]), frame["event"], frame["data"])
            frame = {}
        else:
            frame = {}


def _require_success(answer: httpx.Response) -> None:
    if answer.status_code == 503:
        raise RefusedError
    answer.raise_for_status()


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False)
