"""The body of a chat completion, and the run that it asks for.

Parameters that steer a model's sampling have nothing to steer in answers that are quoted, read or computed: they are
accepted and ignored, as unknown ones are. Where ignoring would return something else than was asked for, the request
is refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, LiteralString

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from agent.memory import LAST_TURNS
from agent.state import TurnContext
from server.inputs import Flag, RequestBody, Text, ThreadId, Whole, check_conversation, turn_text
from server.runs.live import RunRequest
from server.runs.rows import RequestKey

MODEL = "switchyard"
_MAX_MESSAGES = 2000
_ONLY_TEXT = "Only text is read here. Send images, sound and files as documents to /api/v1/documents."
_CONTENT_SCHEMA = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
                "required": ["type", "text"],
            },
        },
        {"type": "null"},
    ]
}


def _supported(*values: object, otherwise: LiteralString) -> BeforeValidator:
    """Admit these values and null; say `otherwise` about any other."""

    def check(value: object) -> object:
        if value is not None and value not in values:
            raise PydanticCustomError("unsupported_value", otherwise)
        return value

    return BeforeValidator(check)


class LenientBody(RequestBody):
    """A body of this protocol: clients send parameters of many vendors, which change nothing here."""

    model_config = ConfigDict(extra="ignore")


class ContentPart(LenientBody):
    """A piece of a message."""

    type: Annotated[Literal["text"], _supported("text", otherwise=_ONLY_TEXT)]
    text: Text


def _as_parts(content: Any) -> Any:
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _readable(parts: list[ContentPart]) -> list[ContentPart]:
    turn_text(_joined(parts))
    return parts


def _joined(parts: list[ContentPart]) -> str:
    return "\n".join(part.text for part in parts)


class PromptMessage(LenientBody):
    """One message of the conversation. Only what the user and the assistant said reaches the graph."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[
        list[ContentPart],
        BeforeValidator(_as_parts),
        AfterValidator(_readable),
        WithJsonSchema(_CONTENT_SCHEMA),
    ] = Field(default_factory=list[ContentPart], description="A text, or parts of type `text`, which are joined.")

    @property
    def text(self) -> str:
        """The message's text, its parts joined by line breaks."""
        return _joined(self.content)


def _ending_with_a_question(messages: list[PromptMessage]) -> list[PromptMessage]:
    check_conversation(message.text for message in messages)
    if not messages or messages[-1].role != "user" or not messages[-1].text.strip():
        raise PydanticCustomError("empty_message", "The last of `messages` must be the user's, with text.")
    return messages


class StreamOptions(LenientBody):
    """What a stream holds besides the answer."""

    include_usage: Flag | None = Field(default=None, description="Whether a last chunk gives the tokens used.")


class ResponseFormat(LenientBody):
    """How the answer is written."""

    type: Annotated[
        Literal["text"],
        _supported("text", otherwise="Answers are text; typed fields come in `switchyard.extraction`."),
    ]


class Metadata(LenientBody):
    """What a caller notes about a request."""

    thread_id: ThreadId | None = Field(default=None, description="Continues this thread, or creates it.")


class CompletionRequest(LenientBody):
    """A turn of a conversation. Parameters that are not listed are accepted and have no effect."""

    model: Text = Field(examples=[MODEL], description="`switchyard`.")
    messages: Annotated[list[PromptMessage], AfterValidator(_ending_with_a_question)] = Field(
        max_length=_MAX_MESSAGES,
        examples=[[{"role": "user", "content": "How long does a cardholder have to dispute a charge?"}]],
        description="Ends with the user's message. Messages of other roles than user and assistant have no effect.",
    )
    stream: Flag | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: Whole | None = Field(default=None, ge=1)
    max_completion_tokens: Whole | None = Field(default=None, ge=1, description="The same; this one counts.")
    metadata: Metadata | None = None
    n: Annotated[Literal[1] | None, _supported(1, otherwise="There is one answer: `n` must be 1.")] = None
    logprobs: Annotated[
        Literal[False] | None, _supported(False, otherwise="Answers have no `logprobs`: they are not sampled freely.")
    ] = None
    top_logprobs: Annotated[Literal[0] | None, _supported(0, otherwise="Answers have no `logprobs`.")] = None
    response_format: ResponseFormat | None = None
    modalities: Annotated[
        list[Literal["text"]] | None, _supported([], ["text"], otherwise="Answers are text only.")
    ] = None
    tool_choice: Annotated[
        Literal["none", "auto"] | None,
        _supported("none", "auto", otherwise="No tool of the caller is ever called, so none can be required."),
    ] = None
    function_call: Annotated[
        Literal["none", "auto"] | None,
        _supported("none", "auto", otherwise="No function of the caller is ever called, so none can be required."),
    ] = None

    @property
    def includes_usage(self) -> bool:
        """Whether a stream ends with a chunk of usage."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def run_request(self, owner: str, key: RequestKey | None = None) -> RunRequest:
        """The run that this turn asks for. The owner comes from the server, whatever the body says."""
        return RunRequest(
            owner=owner,
            message=self.messages[-1].text,
            thread_id=self.metadata.thread_id if self.metadata else None,
            context=TurnContext(
                owner=owner, temperature=self.temperature, max_tokens=self.max_completion_tokens or self.max_tokens
            ),
            history=self._history(),
            key=key,
        )

    def _history(self) -> tuple[tuple[str, str], ...]:
        """As much of the earlier conversation as the graph ever looks at."""
        said = [(message.role, message.text) for message in self.messages[:-1] if message.role in ("user", "assistant")]
        return tuple((role, text) for role, text in said if text.strip())[-2 * LAST_TURNS :]
