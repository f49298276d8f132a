from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import pytest

from agent.models.chain import ModelChain
from tools.errors import ModelUnavailableError
from tools.ports import ChatRequest, Completion, Message, Usage

ASKED = ChatRequest([Message("user", "How many days?")])


@dataclass
class Scripted:
    """A model that says `words` and then fails, or finishes."""

    name: str
    words: Sequence[str] = ("120 ", "days.")
    fails: bool = False
    resting: bool = False
    supports_grammar: bool = True
    adapter: str | None = None
    calls: list[ChatRequest] = field(default_factory=list[ChatRequest])

    async def complete(self, request: ChatRequest) -> Completion:
        self.calls.append(request)
        if self.fails:
            raise ModelUnavailableError("It does not answer.")
        return Completion("".join(self.words), self.name, Usage())

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | Completion]:
        self.calls.append(request)
        for word in self.words:
            yield word
        if self.fails:
            raise ModelUnavailableError("It stopped.")
        yield Completion("".join(self.words), self.name, Usage())


def silent(name: str) -> Scripted:
    return Scripted(name, words=(), fails=True)


async def said(chain: ModelChain[Scripted], heard: list[str | Completion] | None = None) -> list[str | Completion]:
    heard = [] if heard is None else heard
    async for item in chain.stream(ASKED):
        heard.append(item)
    return heard


async def test_the_first_model_serves_and_no_other_is_asked() -> None:
    chain = ModelChain([Scripted("own"), other := Scripted("other")])
    assert (await chain.complete(ASKED)).model == "own"
    assert [item.model for item in await said(chain) if isinstance(item, Completion)] == ["own"]
    assert other.calls == []


async def test_the_next_model_answers_for_one_that_does_not() -> None:
    chain = ModelChain([silent("own"), silent("second"), Scripted("third")])
    assert (await chain.complete(ASKED)).model == "third"
    *words, completion = await said(chain)
    assert words == ["120 ", "days."]
    assert isinstance(completion, Completion)
    assert completion.model == "third"


async def test_what_is_half_said_is_never_said_anew() -> None:
    chain = ModelChain([Scripted("own", words=("half ", "of "), fails=True), other := Scripted("other")])
    heard: list[str | Completion] = []
    with pytest.raises(ModelUnavailableError):
        await said(chain, heard)
    assert heard == ["half ", "of "]
    assert other.calls == []


@pytest.mark.parametrize("models", [[silent("own")], [silent("own"), silent("other")]])
async def test_without_a_model_that_answers_the_call_fails(models: list[Scripted]) -> None:
    with pytest.raises(ModelUnavailableError):
        await ModelChain(models).complete(ASKED)
    with pytest.raises(ModelUnavailableError):
        await said(ModelChain(models))
    assert all(len(model.calls) == 2 for model in models)


def test_the_first_is_the_one_that_does_not_rest() -> None:
    own, other = Scripted("own", resting=True), Scripted("other")
    assert ModelChain([own, other]).first is other
    other.resting = True
    chain = ModelChain([own, other])
    assert chain.first is own
    assert chain.name == "own"


def test_a_grammar_holds_only_where_every_model_honours_it() -> None:
    assert ModelChain([Scripted("own"), Scripted("other")]).supports_grammar
    assert not ModelChain([Scripted("own"), Scripted("other", supports_grammar=False)]).supports_grammar
