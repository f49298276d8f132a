"""What tools need from models: small protocols that `agent/` implements and tests can satisfy with real objects."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Span = tuple[int, int]


@dataclass(frozen=True)
class Message:
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class ChatRequest:
    """One call of a chat model. Limits left `None` come from the role's configuration.

    `json_schema` and `grammar` (GBNF) constrain decoding; a grammar is only honoured by endpoints that say
    `supports_grammar`. `top_logprobs` asks for that many alternatives per generated token (0: none).
    """

    messages: Sequence[Message]
    max_tokens: int | None = None
    temperature: float | None = None
    json_schema: Mapping[str, Any] | None = None
    grammar: str | None = None
    top_logprobs: int = 0
    stop: Sequence[str] = ()


@dataclass(frozen=True)
class TokenLogprobs:
    """A generated token with its natural-log probability and the alternatives at that position."""

    token: str
    logprob: float
    top: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Usage:
    """Tokens and money of one or more model calls. `cost_usd` follows the prices in the models file."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost_usd + other.cost_usd,
        )


@dataclass(frozen=True)
class Completion:
    """A finished model call."""

    text: str
    model: str
    usage: Usage
    finish_reason: str | None = None
    logprobs: Sequence[TokenLogprobs] = ()


class ChatModel(Protocol):
    """A role's model behind an OpenAI-compatible endpoint.

    Both calls raise `ModelUnavailableError` when no endpoint of the role answers.
    """

    @property
    def name(self) -> str:
        """The model's name, with its adapter."""
        ...

    @property
    def supports_grammar(self) -> bool:
        """Whether the endpoint honours GBNF grammars."""
        ...

    @property
    def adapter(self) -> str | None:
        """The adapter's name."""
        ...

    async def complete(self, request: ChatRequest) -> Completion:
        """Run the request to its end."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[str | Completion]:
        """Yield text as it is generated, then the finished `Completion` as the last item."""
        ...


@dataclass(frozen=True)
class SpanVectors:
    """A text's (dimensions,) embedding and the (n, dimensions) ones of its spans; all zeros where a span is lost."""

    whole: Vector
    spans: Vector


class Embedder(Protocol):
    """Sentence embeddings, L2-normalised, so that a dot product is the cosine."""

    @property
    def dimensions(self) -> int:
        """Length of an embedding."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vector:
        """Embed texts to a (len(texts), dimensions) float32 array. Blocks; call it from a worker thread."""
        ...

    def embed_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[SpanVectors]:
        """Embed texts and spans of each (start and end in characters) in one pass. Blocks like `embed_passages`."""
        ...

    def embed_query(self, text: str) -> Vector:
        """Embed one query to a (dimensions,) float32 array, cached by its text. Blocks like `embed_passages`."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> list[Vector]:
        """Embed several queries or sentences as `embed_query` does. Blocks like `embed_passages`."""
        ...
