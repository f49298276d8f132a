"""A role's models in their order: the first that answers serves."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Generic, Protocol, TypeVar

from tools.errors import ModelUnavailableError
from tools.ports import ChatModel, ChatRequest, Completion

_log = logging.getLogger(__name__)


class RestingModel(ChatModel, Protocol):
    """A model that is left alone for a while after failures."""

    @property
    def resting(self) -> bool:
        """Whether it would refuse a call now."""
        ...


Model = TypeVar("Model", bound=RestingModel)


class ModelChain(Generic[Model]):
    """A role's model and those that stand in for it; satisfies `tools.ports.ChatModel`.

    A call goes to the next model when one fails before its first word; what is half said is never said anew by another.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        """Ask `models`, at least one, in this order."""
        self.models = models

    @property
    def first(self) -> Model:
        """The first model that does not rest; the role's own where all do."""
        return next((model for model in self.models if not model.resting), self.models[0])

    def named(self, name: str) -> Model | None:
        """The model with this name, if there is one among them."""
        return next((model for model in self.models if model.name == name), None)

    @property
    def name(self) -> str:
        """The name of the model that would be asked first."""
        return self.first.name

    @property
    def adapter(self) -> str | None:
        """The adapter of the model that would be asked first."""
        return self.first.adapter

    @property
    def supports_grammar(self) -> bool:
        """Whether every model honours GBNF grammars, whichever answers."""
        return all(model.supports_grammar for model in self.models)

    async def complete(self, request: ChatRequest) -> Completion:
        """Run the request to its end. Raises ModelUnavailableError when no model answers."""
        for model in self.models[:-1]:
            try:
                return await model.complete(request)
            except ModelUnavailableError as error:
                _log.warning("model %s does not answer (%s); the next one is asked", model.name, error.code)
        return await self.models[-1].complete(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | Completion]:
        """Yield text as it is generated, then the finished `Completion`.

        Raises ModelUnavailableError when no model answers, or one stops in the middle.
        """
        for position, model in enumerate(self.models, 1):
            started = False
            try:
                async with aclosing(model.stream(request)) as items:
                    async for item in items:
                        started = True
                        yield item
                return
            except ModelUnavailableError as error:
                if started or position == len(self.models):
                    raise
                _log.warning("model %s does not answer (%s); the next one is asked", model.name, error.code)
