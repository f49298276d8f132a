"""The backend that is a running server: HTTP, and server-sent events that survive a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError

from server.cli.backend import Event, Json, ServerError
from server.cli.sse import read_events
from tools.errors import InputError, NotFoundError, SwitchyardError

_RECONNECTS = 2
_PAUSE_S = 0.5
# The server sends a ping every 15 seconds; extraction and uploads answer when they are done.
_TIMEOUT = httpx.Timeout(600, connect=5)
_STREAM_TIMEOUT = httpx.Timeout(60, connect=5)
_JSON = TypeAdapter(Json)


class _ErrorDetail(BaseModel):
    code: str
    message: str
    trace_id: str


class _ErrorBody(BaseModel):
    error: _ErrorDetail


class HttpBackend:
    """The API of a running server; satisfies `Backend`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Use a client whose base URL is the server's."""
        self._client = client

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, api_key: SecretStr | None = None) -> AsyncGenerator[HttpBackend]:
        """Connect to the server at `url`; proxies of the environment are for other machines."""
        headers = {"Authorization": f"Bearer {api_key.get_secret_value()}"} if api_key else {}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT, trust_env=False) as client:
            yield cls(client)

    async def chat(self, body: Json) -> AsyncGenerator[Event]:
        """See `Backend.chat`. After a lost connection the events go on where they stopped."""
        request = self._client.build_request("POST", "/api/v1/chat", json={**body, "stream": True})
        last_id = ""
        for attempt in range(_RECONNECTS + 1):
            try:
                async for event_id, event in self._stream(request):
                    last_id = event_id
                    yield event
                    if event.name == "end":
                        return
            except httpx.TransportError as error:
                if not last_id or attempt == _RECONNECTS:
                    raise _unreachable(error) from error
            await asyncio.sleep(_PAUSE_S * attempt)
            run_id = last_id.rpartition(":")[0]
            headers = {"Last-Event-ID": last_id}
            request = self._client.build_request("GET", f"/api/v1/runs/{run_id}/events", headers=headers)
        raise ServerError("The server ended the answer before it was complete.", code="incomplete_answer")

    async def add_file(self, name: str, content: bytes, fields: Json) -> Json:
        """See `Backend.add_file`."""
        return await self._send(
            "POST", "/documents", params={"wait": "true"}, files={"file": (name, content)}, data=fields
        )

    async def delete(self, document_id: str, collection: str) -> None:
        """See `Backend.delete`."""
        await self._request("DELETE", f"/documents/{quote(document_id, safe='')}", params={"collection": collection})

    async def plan_sync(self, body: Json) -> Json:
        """See `Backend.plan_sync`."""
        return await self._send("POST", "/documents/sync", json=body)

    async def start_ingestion(self, body: Json) -> Json:
        """See `Backend.start_ingestion`."""
        return await self._send("POST", "/ingestions", json=body)

    async def finish_ingestion(self, ingestion_id: str) -> Json:
        """See `Backend.finish_ingestion`."""
        return await self._send("POST", f"/ingestions/{ingestion_id}/finish")

    async def failed(self) -> list[Json]:
        """See `Backend.failed`."""
        return (await self._send("GET", "/documents", params={"status": "failed"}))["documents"]

    async def retry(self, body: Json) -> Json:
        """See `Backend.retry`."""
        return await self._send("POST", "/documents/retry", json=body)

    async def search(self, body: Json) -> Json:
        """See `Backend.search`."""
        return await self._send("POST", "/search", json=body)

    async def extract(self, body: Json) -> Json:
        """See `Backend.extract`."""
        return await self._send("POST", "/extract", json=body)

    async def score(self, body: Json) -> Json:
        """See `Backend.score`."""
        return await self._send("POST", "/fraud/score", json=body)

    async def _stream(self, request: httpx.Request) -> AsyncGenerator[tuple[str, Event]]:
        request.extensions["timeout"] = _STREAM_TIMEOUT.as_dict()
        response = await self._client.send(request, stream=True)
        try:
            if not response.is_success:
                await response.aread()
                raise _error(response)
            async for event in read_events(response.aiter_text()):
                yield event.id, Event(event.name, _JSON.validate_json(event.data))
        finally:
            await response.aclose()

    async def _send(self, method: str, path: str, **content: object) -> Json:
        return _JSON.validate_json(await self._request(method, path, **content))

    async def _request(self, method: str, path: str, **content: object) -> bytes:
        try:
            response = await self._client.request(method, f"/api/v1{path}", **content)  # pyright: ignore[reportArgumentType]
        except httpx.TransportError as error:
            raise _unreachable(error) from error
        if not response.is_success:
            raise _error(response)
        return response.content


def _error(response: httpx.Response) -> SwitchyardError:
    """The API's error as the one that was raised behind it, its trace id in the message."""
    try:
        detail = _ErrorBody.model_validate_json(response.content).error
    except ValidationError:
        return ServerError(f"The server answered with status {response.status_code}.")
    kind = {404: NotFoundError, 413: InputError, 422: InputError}.get(response.status_code, ServerError)
    message = f"{detail.message} ({detail.code}, trace {detail.trace_id})"
    return kind(message, code=detail.code, trace_id=detail.trace_id)


def _unreachable(error: httpx.TransportError) -> ServerError:
    reason = str(error) or type(error).__name__
    return ServerError(f"The connection to the server was lost ({reason}). Try again.", code="connection_lost")
