"""What LangGraph's clients send. Fields that say nothing here are passed over, as the protocol grows by adding them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from server.inputs import Flag, RequestBody, ThreadId, Whole, bounded
from server.langgraph.recorder import StreamMode
from server.runs.rows import Strategy, ThreadStatus

Names = list[str] | Literal["*"]
JsonObject = dict[str, Any]
Metadata = Annotated[JsonObject, AfterValidator(bounded)]
# No list is that long; the database's integers end somewhere.
MAX_OFFSET = 10**9
_MOST_IDS = 1000
_INPUT = {"messages": [{"role": "user", "content": "How long does a cardholder have to dispute a charge?"}]}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _values() -> list[StreamMode]:
    return ["values"]


class ProtocolBody(RequestBody):
    """Base of the protocol's bodies."""

    model_config = ConfigDict(extra="ignore")


class TurnOptions(BaseModel):
    """What a client may choose about a turn, as `context` or as `config.configurable`."""

    model_config = ConfigDict(extra="ignore")

    collection: str = "default"
    document_ids: list[str] = Field(default_factory=list[str], max_length=50)
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: Whole | None = Field(default=None, ge=1, le=32768)


class CheckpointReference(ProtocolBody):
    """A checkpoint of the thread in the path; another thread's name in it counts for nothing."""

    checkpoint_id: str | None = None
    checkpoint_ns: str = ""


class ResumeCommand(ProtocolBody):
    """How to go on: answer an interrupt, change the state, or name the next node."""

    resume: Any = None
    update: JsonObject | None = None
    goto: str | list[str] | None = None


class RunConfig(ProtocolBody):
    """The parts of a run's config that count here."""

    configurable: TurnOptions | None = None
    metadata: Metadata = Field(default_factory=dict)


class RunBody(ProtocolBody):
    """A run."""

    assistant_id: str = Field(examples=["switchyard"])
    input: JsonObject | None = Field(default=None, examples=[_INPUT])
    command: ResumeCommand | None = None
    metadata: Metadata = Field(default_factory=dict)
    config: RunConfig = RunConfig()
    context: TurnOptions | None = None
    checkpoint: CheckpointReference | None = None
    checkpoint_id: str | None = None
    interrupt_before: Names = Field(default_factory=list[str])
    interrupt_after: Names = Field(default_factory=list[str])
    stream_mode: Annotated[list[StreamMode], BeforeValidator(_listed)] = Field(default_factory=_values)
    stream_subgraphs: Flag = False
    on_disconnect: Literal["cancel", "continue"] = "continue"
    on_completion: Literal["delete", "keep"] = "delete"
    multitask_strategy: Strategy = "enqueue"
    if_not_exists: Literal["create", "reject"] = "reject"
    durability: Literal["sync", "async", "exit"] | None = None
    checkpoint_during: Flag | None = None
    after_seconds: float | None = None
    webhook: str | None = None


class ThreadCreate(ProtocolBody):
    """A thread to open."""

    thread_id: ThreadId | None = None
    metadata: Metadata = Field(default_factory=dict)
    if_exists: Literal["raise", "do_nothing"] = "raise"


class ThreadPatch(ProtocolBody):
    """Metadata to add to a thread's."""

    metadata: Metadata


class ThreadSearch(ProtocolBody):
    """Which threads to list."""

    metadata: Metadata = Field(default_factory=dict)
    ids: list[str] | None = Field(default=None, max_length=_MOST_IDS)
    status: ThreadStatus | None = None
    limit: Whole = Field(default=10, ge=1, le=1000)
    offset: Whole = Field(default=0, ge=0, le=MAX_OFFSET)
    sort_by: Literal["thread_id", "created_at", "updated_at", "state_updated_at", "status"] = "updated_at"
    sort_order: Literal["asc", "desc"] = "desc"


class StateUpdate(ProtocolBody):
    """Values to write to a thread's state, as if a node had returned them."""

    values: JsonObject | list[JsonObject] | None = None
    as_node: str | None = None
    checkpoint: CheckpointReference | None = None
    checkpoint_id: str | None = None


class HistorySearch(ProtocolBody):
    """Which of a thread's states to list."""

    limit: Whole = Field(default=10, ge=1, le=1000)
    before: CheckpointReference | str | None = None
    metadata: Metadata | None = None
    checkpoint: CheckpointReference | None = None


class CheckpointState(ProtocolBody):
    """The checkpoint whose state is asked for."""

    checkpoint: CheckpointReference


class AssistantSearch(ProtocolBody):
    """Which assistants to list."""

    graph_id: str | None = None
    metadata: Metadata = Field(default_factory=dict)
    limit: Whole = Field(default=10, ge=1, le=1000)
    offset: Whole = Field(default=0, ge=0, le=MAX_OFFSET)
