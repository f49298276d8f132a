"""The packaged model behind its real server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from agent.models.catalog import load_catalog
from agent.models.files import LANGUAGE_MODEL
from agent.models.gateway import ModelGateway
from agent.models.role_model import RoleModel
from tests.tools.knowledge.passages import candidate
from tools.errors import InputError
from tools.knowledge.quotes import chosen_candidates, quote_grammar
from tools.ports import ChatRequest, Message

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def model() -> Iterator[RoleModel]:
    gateway = ModelGateway(load_catalog())
    yield gateway.role("answer")
    gateway.close()


def asked(text: str) -> list[Message]:
    return [Message("user", text)]


async def test_it_says_what_it_is(model: RoleModel) -> None:
    assert (model.supports_grammar, model.adapter, model.sha256) == (True, None, LANGUAGE_MODEL.sha256)
    assert model.quotes


async def test_a_grammar_leaves_only_its_choices(model: RoleModel) -> None:
    request = ChatRequest(asked("What colour is the sky?"), grammar='root ::= "purple" | "orange"', max_tokens=8)
    completion = await model.complete(request)
    assert completion.text in {"purple", "orange"}
    assert completion.finish_reason == "stop"
    assert completion.usage.prompt_tokens > 0


async def test_awkward_sentences_come_back_verbatim_through_the_grammar(model: RoleModel) -> None:
    awkward = candidate(r'Write "C:\new" [sic], (50%) - é € ← {x} | y', n=1)
    completion = await model.complete(ChatRequest(asked("Which?"), grammar=quote_grammar([awkward]), max_tokens=80))
    assert completion.text == awkward.cited
    assert chosen_candidates(completion.text, [awkward]) == [awkward]


async def test_a_schema_shapes_the_answer(model: RoleModel) -> None:
    schema = {
        "type": "object",
        "properties": {"days": {"type": "integer"}, "card": {"enum": ["credit", "debit"]}},
        "required": ["days", "card"],
        "additionalProperties": False,
    }
    request = ChatRequest(asked("Credit card disputes take 120 days."), json_schema=schema, max_tokens=40)
    answer = json.loads((await model.complete(request)).text)
    assert isinstance(answer["days"], int)
    assert answer["card"] in {"credit", "debit"}


async def test_logprobs_of_the_first_token(model: RoleModel) -> None:
    request = ChatRequest(asked("Say yes or no."), max_tokens=1, top_logprobs=5)
    (token,) = (await model.complete(request)).logprobs
    assert len(token.top) == 5
    assert token.logprob == pytest.approx(max(token.top.values()), abs=1e-3)
    assert all(value <= 0 for value in token.top.values())


async def test_the_same_request_gives_the_same_answer(model: RoleModel) -> None:
    request = ChatRequest(asked("Name a fruit."), max_tokens=8)
    assert (await model.complete(request)).text == (await model.complete(request)).text


async def test_a_prompt_beyond_the_context_is_the_callers_to_mend(model: RoleModel) -> None:
    with pytest.raises(InputError) as raised:
        await model.complete(ChatRequest(asked("dispute " * 20_000), max_tokens=4))
    assert raised.value.code == "model_refused"
    assert (await model.complete(ChatRequest(asked("Still there?"), max_tokens=2))).text
