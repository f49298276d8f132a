"""POST /chat: one turn of a conversation, streamed or as one answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError
from sse_starlette.sse import EventSourceResponse

from agent.results import TurnResult
from agent.state import DEFAULT_COLLECTION, TurnContext
from server.access.rules import needs
from server.dependencies import App, Spender
from server.idempotency import Identity
from server.inputs import Flag, MessageText, RequestBody, Text, ThreadId, TurnText, Whole, check_conversation
from server.runs.live import RunRequest
from server.runs.rows import RequestKey
from server.sse import event_content, stream_events

router = APIRouter(tags=["chat"], dependencies=[needs("chat")])


class ChatMessage(RequestBody):
    """One message of a conversation that the caller keeps."""

    role: Literal["user", "assistant"]
    content: TurnText


class ChatRequest(RequestBody):
    """A turn: either `message`, or `messages` that end with the user's."""

    message: MessageText | None = Field(default=None, examples=["How long does a cardholder have to dispute a charge?"])
    messages: list[ChatMessage] | None = Field(default=None, max_length=200)
    thread_id: ThreadId | None = Field(default=None, description="Continues this thread, or creates it.")
    document_ids: list[Text] = Field(default_factory=list[str], max_length=50, description="Documents attached.")
    collection: Text = DEFAULT_COLLECTION
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: Whole | None = Field(default=None, ge=1, le=32768)
    stream: Flag = True

    @model_validator(mode="after")
    def _one_question(self) -> ChatRequest:
        if self.message is None and not self.messages:
            raise PydanticCustomError("empty_message", "Send `message`, or `messages` that end with the user's.")
        if self.message is not None and self.messages:
            raise PydanticCustomError("invalid_request", "Send either `message` or `messages`, not both.")
        check_conversation(message.content for message in self.messages or [])
        if self.messages and (self.messages[-1].role != "user" or not self.messages[-1].content.strip()):
            raise PydanticCustomError("empty_message", "The last of `messages` must be the user's, with text.")
        return self

    def run_request(self, owner: str, key: RequestKey | None = None) -> RunRequest:
        """The run that this turn asks for."""
        earlier = self.messages[:-1] if self.messages else []
        return RunRequest(
            owner=owner,
            message=self.message if self.message is not None else self.messages[-1].content if self.messages else "",
            thread_id=self.thread_id,
            context=TurnContext(
                owner=owner,
                collection=self.collection,
                document_ids=tuple(self.document_ids),
                temperature=self.temperature,
                max_tokens=self.max_tokens,
            ),
            history=tuple((message.role, message.content) for message in earlier),
            key=key,
        )


class Timings(BaseModel):
    """Milliseconds from the run's start."""

    ttft_ms: float | None = Field(description="To the first token.")
    total_ms: float


class ChatResult(TurnResult):
    """A finished turn."""

    run_id: str
    thread_id: str
    trace_id: str
    timings: Timings


_EVENTS = (
    "With `stream: true` (the default) server-sent events: `run`, `route`, `status`*, `token`*, `result`, `end`; "
    "on failure `error`, then `end`. Ids are `<run_id>:<seq>`; go on after a lost connection with "
    "`GET /api/v1/runs/{run_id}/events` and `Last-Event-ID`."
)
_FIRST_EVENT = {"id": "6f1c2a9e:1", "event": "run", "data": '{"run_id":"6f1c2a9e","thread_id":"9b2e41d7"}'}


@router.post(
    "/chat",
    response_model=ChatResult,
    responses={200: {"description": _EVENTS, "content": event_content(_FIRST_EVENT)}},
    summary="Ask, extract or score: one turn",
)
async def chat(
    body: ChatRequest, app: App, caller: Spender, identity: Identity
) -> EventSourceResponse | dict[str, Any]:
    """Run one turn. The message is stored before the first byte of the answer; a client that leaves loses nothing."""
    for document_id in body.document_ids:
        await app.documents.get(caller.owner, document_id)
    request = body.run_request(caller.owner, identity.of(body))
    run = await app.runs.start(replace(request, key_id=caller.key_id))
    if body.stream:
        return stream_events(app.runs.follow(caller.owner, run.run_id))
    return await app.runs.result(caller.owner, run.run_id)
