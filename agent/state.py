"""The graph's state, and what a caller passes along with a turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NotRequired

from langchain.messages import AnyMessage
from langgraph.graph.message import add_messages

# Pydantic makes no JSON Schema of the standard library's TypedDict before Python 3.12, and Studio shows these schemas.
from typing_extensions import TypedDict

DEFAULT_OWNER = "local"
DEFAULT_COLLECTION = "default"


@dataclass(frozen=True)
class SettledReview:
    """A decision on a turn that its thread has left behind: the result that waited, and the person's answer."""

    result: dict[str, Any]
    answer: dict[str, Any]


@dataclass(frozen=True)
class TurnContext:
    """Who asks, about which documents, with which limits. The server fills it in, never a request's body alone.

    `may_wait` says whether the thread will be there when a person has decided; `settles` is what somebody decided;
    `may_decide` whether what the run is resumed with is somebody's decision.
    """

    owner: str = DEFAULT_OWNER
    collection: str = DEFAULT_COLLECTION
    document_ids: tuple[str, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    may_wait: bool = True
    settles: SettledReview | None = None
    may_decide: bool = True

    @property
    def index_collection(self) -> str:
        """The collection's name in the vector store: owners never share one."""
        return f"{self.owner}/{self.collection}"


class GraphInput(TypedDict):
    """What a run starts with: the new message."""

    messages: Annotated[list[AnyMessage], add_messages]


class GraphState(TypedDict, total=False):
    """A conversation. Everything but `messages` is of the current turn; plain data, so that checkpoints stay readable.

    `questions` holds the stand-alone questions so far; `pending_transaction` the text of a transaction that still
    lacks essentials; `versions` the models and prompts that were used before a branch began.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    query: str
    questions: list[str]
    decision: dict[str, Any]
    versions: dict[str, str]
    refusal: dict[str, Any] | None
    pending_transaction: str | None
    result: dict[str, Any]


class NewTurn(TypedDict):
    """What the first node reads."""

    messages: list[AnyMessage]
    questions: NotRequired[list[str]]
    pending_transaction: NotRequired[str | None]


class ScoredTurn(TypedDict):
    """What the review of a score reads."""

    result: NotRequired[dict[str, Any]]


class RoutedTurn(TypedDict):
    """What the branches read."""

    messages: list[AnyMessage]
    query: str
    decision: dict[str, Any]
    versions: NotRequired[dict[str, str]]
    refusal: NotRequired[dict[str, Any] | None]
