"""The HTTP backend against a transport that breaks as networks do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from server.cli import client
from server.cli.backend import ServerError
from server.cli.client import HttpBackend
from tools.errors import InputError, NotFoundError, SwitchyardError

_START = 'id: r1:1\nevent: run\ndata: {"run_id":"r1"}\n\nid: r1:2\nevent: token\ndata: {"text":"a"}\n\n'
_REST = 'id: r1:3\nevent: result\ndata: {"answer":"a"}\n\nid: r1:4\nevent: end\ndata: {}\n\n'


class _Breaking(httpx.AsyncByteStream):
    """Sends some bytes, then loses the connection."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._text.encode()
        raise httpx.ReadError("reset")


def _backend(answer: Callable[[httpx.Request], httpx.Response]) -> HttpBackend:
    return HttpBackend(httpx.AsyncClient(base_url="http://127.0.0.1", transport=httpx.MockTransport(answer)))


def _error(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": "No.", "trace_id": "t1"}})


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_PAUSE_S", 0)


async def test_a_lost_stream_goes_on_after_the_last_event() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, stream=_Breaking(_START)) if len(requests) == 1 else httpx.Response(200, text=_REST)

    events = [event.name async for event in _backend(answer).chat({"message": "hi"})]
    assert events == ["run", "token", "result", "end"]
    assert requests[1].url.path == "/api/v1/runs/r1/events"
    assert requests[1].headers["last-event-id"] == "r1:2"


async def test_a_stream_that_keeps_breaking_ends_in_an_error() -> None:
    attempts = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal attempts
        attempts += 1
        return httpx.Response(200, stream=_Breaking(_START))

    with pytest.raises(ServerError, match="connection to the server was lost") as caught:
        _ = [event async for event in _backend(answer).chat({"message": "hi"})]
    assert caught.value.code == "connection_lost"
    assert attempts == 3


async def test_a_stream_that_closes_early_is_taken_up_again() -> None:
    answers = iter([_START, _REST])
    backend = _backend(lambda _: httpx.Response(200, text=next(answers)))
    assert [event.name async for event in backend.chat({"message": "hi"})][-1] == "end"


@pytest.mark.parametrize(
    ("status", "kind"), [(422, InputError), (413, InputError), (404, NotFoundError), (500, ServerError)]
)
async def test_errors_show_code_message_and_trace(status: int, kind: type[SwitchyardError]) -> None:
    with pytest.raises(kind) as caught:
        await _backend(lambda _: _error(status, "some_code")).search({"query": "x"})
    assert caught.value.code == "some_code"
    assert caught.value.message == "No. (some_code, trace t1)"


async def test_a_refused_turn_is_the_apis_error() -> None:
    with pytest.raises(InputError, match="empty_message"):
        _ = [event async for event in _backend(lambda _: _error(422, "empty_message")).chat({})]


async def test_an_answer_of_another_program_is_an_error() -> None:
    with pytest.raises(ServerError, match="status 502"):
        await _backend(lambda _: httpx.Response(502, text="<html>")).add_file("a.txt", b"text", {})
