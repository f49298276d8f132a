from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tenacity import wait_random_exponential

from agent.models.breaker import CircuitBreaker
from agent.models.catalog import EndpointConfig, RoleConfig, load_catalog
from agent.models.gateway import ModelGateway
from agent.models.role_model import RoleModel
from tests.agent.models.replies import FINISHED, GREETING, UNFINISHED, replying
from tests.fakes.background import listening
from tests.fakes.endpoint import PRICE_IN, PRICE_OUT, FakeEndpoint, Reply, fake_endpoint
from tools.errors import InputError, ModelUnavailableError
from tools.ports import ChatRequest, Completion, Message

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = ChatRequest([Message("system", "Be brief."), Message("user", "How many days?")])


@pytest.fixture(scope="module")
def served() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(served: FakeEndpoint) -> FakeEndpoint:
    served.script = lambda _: Reply("It takes 120 days.")
    served.requests.clear()
    return served


def model(
    url: str,
    *,
    breaker: CircuitBreaker | None = None,
    adapter: str | None = None,
    temperature: float = 0,
    **config: Any,
) -> RoleModel:
    settings = {"kind": "openai", "base_url": url, "max_attempts": 3, "timeout_s": 10, **config}
    role = RoleConfig(endpoint="e", model="m", adapter=adapter, temperature=temperature, max_tokens=50)
    return RoleModel(role, EndpointConfig.model_validate(settings), url, breaker or CircuitBreaker())


def scripted(endpoint: FakeEndpoint, *replies: Reply) -> None:
    left = iter(replies)
    endpoint.script = lambda _: next(left, replies[-1])


@pytest.fixture
def fast_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.models.endpoint_client._LONGEST_PAUSE_S", 0.01)


async def test_text_comes_piece_by_piece_then_the_completion(endpoint: FakeEndpoint) -> None:
    items = [item async for item in model(f"{endpoint.url}/v1").stream(ASKED)]
    assert items[:-1] == ["It ", "takes ", "120 ", "days."]
    assert isinstance(items[-1], Completion)
    assert items[-1].text == "It takes 120 days."
    assert items[-1].finish_reason == "stop"


async def test_calls_share_a_connection() -> None:
    peers: list[int] = []

    async def reply(request: Request) -> Response:
        assert request.client is not None
        peers.append(request.client.port)
        return Response(GREETING + FINISHED, media_type="text/event-stream")

    with listening(Starlette(routes=[Route("/v1/chat/completions", reply, methods=["POST"])])) as url:
        served = model(f"{url}/v1")
        for _ in range(3):
            assert (await served.complete(ASKED)).text == "whole"
    assert len(peers) == 3
    assert len(set(peers)) == 1


async def test_the_first_piece_arrives_before_the_answer_is_finished(endpoint: FakeEndpoint) -> None:
    scripted(endpoint, Reply("It takes days.", hold=(hold := Event())))
    async with aclosing(model(f"{endpoint.url}/v1").stream(ASKED)) as stream:
        assert await anext(stream) == "It "
        hold.set()
        assert [item async for item in stream if isinstance(item, str)] == ["takes ", "days."]


async def test_usage_costs_what_the_endpoint_charges(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    gateway = ModelGateway(load_catalog(endpoint.models_file(tmp_path / "models.yaml")))
    completion = await gateway.role("answer").complete(ASKED)
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (5, 4)
    assert math.isclose(usage.cost_usd, (5 * PRICE_IN + 4 * PRICE_OUT) / 1000)
    assert completion.model == "fake-answer"
    assert gateway.breaker("fake").state == "closed"
    gateway.close()


async def test_logprobs_are_read(endpoint: FakeEndpoint) -> None:
    scripted(endpoint, Reply("FRAUD", top_logprobs={"FRAUD": -0.2, "LEG": -1.8}))
    request = ChatRequest(ASKED.messages, max_tokens=1, top_logprobs=2)
    (token,) = (await model(f"{endpoint.url}/v1").complete(request)).logprobs
    assert (token.token, token.logprob, dict(token.top)) == ("FRAUD", -0.2, {"FRAUD": -0.2, "LEG": -1.8})
    assert (endpoint.requests[-1]["logprobs"], endpoint.requests[-1]["top_logprobs"]) == (True, 2)


async def test_a_request_without_logprobs_asks_for_none(endpoint: FakeEndpoint) -> None:
    assert (await model(f"{endpoint.url}/v1").complete(ASKED)).logprobs == ()
    assert "logprobs" not in endpoint.requests[-1]


async def test_limits_of_the_role_hold(endpoint: FakeEndpoint) -> None:
    answerer = model(f"{endpoint.url}/v1", temperature=0.3)
    await answerer.complete(ASKED)
    await answerer.complete(ChatRequest(ASKED.messages, max_tokens=9, temperature=0.0, stop=["\n"]))
    await answerer.complete(ChatRequest(ASKED.messages, max_tokens=9_000))
    sent = [
        (body.get("max_completion_tokens", body.get("max_tokens")), body["temperature"]) for body in endpoint.requests
    ]
    assert sent == [(50, 0.3), (9, 0.0), (50, 0.3)]
    assert endpoint.requests[1]["stop"] == ["\n"]
    assert endpoint.requests[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How many days?"},
    ]


async def test_a_schema_goes_into_the_body(endpoint: FakeEndpoint) -> None:
    schema = {"type": "object", "properties": {"days": {"type": "integer"}}}
    await model(f"{endpoint.url}/v1").complete(ChatRequest(ASKED.messages, json_schema=schema))
    assert endpoint.requests[-1]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "reply", "schema": schema},
    }


async def test_a_truncated_answer_under_a_schema_is_still_an_answer(endpoint: FakeEndpoint) -> None:
    scripted(endpoint, Reply('{"days": 12'))
    completion = await model(f"{endpoint.url}/v1").complete(ChatRequest(ASKED.messages, json_schema={"type": "object"}))
    assert completion.text == '{"days": 12'


@pytest.mark.parametrize(("kind", "sent"), [("embedded", True), ("openai", False), ("vllm", False)])
async def test_a_grammar_goes_only_to_an_endpoint_that_honours_it(
    endpoint: FakeEndpoint, kind: str, sent: bool
) -> None:
    answerer = model(f"{endpoint.url}/v1", kind=kind)
    await answerer.complete(ChatRequest(ASKED.messages, grammar='root ::= "yes"'))
    assert answerer.supports_grammar is sent
    assert endpoint.requests[-1].get("grammar") == ('root ::= "yes"' if sent else None)


@pytest.mark.parametrize(("kind", "name"), [("openai", "m+lora"), ("vllm", "lora")])
async def test_an_adapter_is_addressed_as_the_endpoint_does(endpoint: FakeEndpoint, kind: str, name: str) -> None:
    answerer = model(f"{endpoint.url}/v1", kind=kind, adapter="lora")
    await answerer.complete(ASKED)
    assert endpoint.requests[-1]["model"] == answerer.name == name
    assert (answerer.base_name, answerer.adapter, answerer.sha256) == ("m", "lora", None)


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.usefixtures("fast_retries")
async def test_a_passing_failure_is_tried_again(endpoint: FakeEndpoint, status: int) -> None:
    scripted(endpoint, Reply(status=status), Reply(status=status), Reply("Here."))
    assert (await model(f"{endpoint.url}/v1").complete(ASKED)).text == "Here."
    assert len(endpoint.requests) == 3


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(status=429), Reply("It takes", cut_after=0)])
@pytest.mark.usefixtures("fast_retries")
async def test_a_failure_that_stays_is_given_up(endpoint: FakeEndpoint, reply: Reply) -> None:
    scripted(endpoint, reply)
    with pytest.raises(ModelUnavailableError) as raised:
        await model(f"{endpoint.url}/v1").complete(ASKED)
    assert raised.value.code == "model_unavailable"
    assert len(endpoint.requests) == 3


async def test_pauses_between_attempts_grow_at_random(endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def instead_of_waiting(**limits: float) -> Any:
        chosen = wait_random_exponential(**limits)
        return lambda state: pauses.append(chosen(state)) or 0.0

    monkeypatch.setattr("agent.models.endpoint_client.wait_random_exponential", instead_of_waiting)
    scripted(endpoint, Reply(status=500))
    with pytest.raises(ModelUnavailableError):
        await model(f"{endpoint.url}/v1", max_attempts=6).complete(ASKED)
    assert len(endpoint.requests) == 6
    assert all(0 <= pause <= min(2.0**attempt, 4.0) for attempt, pause in enumerate(pauses))
    assert len(set(pauses)) == len(pauses) >= 5


@pytest.mark.usefixtures("fast_retries")
async def test_nobody_listening_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ModelUnavailableError):
        await model(f"http://127.0.0.1:{port}/v1").complete(ASKED)


async def test_a_failure_after_the_first_token_is_not_tried_again(endpoint: FakeEndpoint) -> None:
    scripted(endpoint, Reply("It takes many days.", cut_after=2))
    stream = model(f"{endpoint.url}/v1").stream(ASKED)
    assert [await anext(stream), await anext(stream)] == ["It ", "takes "]
    with pytest.raises(ModelUnavailableError):
        await anext(stream)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        "data: {oops\n\n",
        "data: [1, 2]\n\n",
        "<html>Bad gateway</html>",
        "",
        '{"choices": []}',
        GREETING,
        'data: {"choices": []}\n\ndata: [DONE]\n\n',
    ],
)
@pytest.mark.usefixtures("fast_retries")
async def test_a_reply_that_breaks_the_protocol_is_a_failure_that_may_pass(body: str) -> None:
    with replying([body, FINISHED]) as url:
        assert (await model(url).complete(ASKED)).text == "whole"
    breaker = CircuitBreaker(threshold=1)
    with replying([body]) as url, pytest.raises(ModelUnavailableError):
        await model(url, breaker=breaker).complete(ASKED)
    assert breaker.state == "open"


async def test_an_answer_without_an_end_is_not_taken_for_a_whole_one() -> None:
    with replying([UNFINISHED, FINISHED]) as url, pytest.raises(ModelUnavailableError):
        await model(url).complete(ASKED)


async def test_an_error_inside_the_stream_is_a_failure() -> None:
    with replying(['data: {"error": {"message": "boom"}}\n\n']) as url, pytest.raises(ModelUnavailableError):
        await model(url).complete(ASKED)


@pytest.mark.parametrize("status", [400, 422])
async def test_a_refused_request_is_the_callers_to_mend(endpoint: FakeEndpoint, status: int) -> None:
    breaker = CircuitBreaker(threshold=1)
    scripted(endpoint, Reply(status=status))
    with pytest.raises(InputError) as raised:
        await model(f"{endpoint.url}/v1", breaker=breaker).complete(ASKED)
    assert raised.value.code == "model_refused"
    assert "scripted" not in raised.value.message
    assert len(endpoint.requests) == 1
    assert breaker.state == "closed"


async def test_a_wrong_key_is_not_tried_again(endpoint: FakeEndpoint) -> None:
    scripted(endpoint, Reply(status=401))
    with pytest.raises(ModelUnavailableError):
        await model(f"{endpoint.url}/v1").complete(ASKED)
    assert len(endpoint.requests) == 1


async def test_the_breaker_opens_spares_the_endpoint_and_closes_again(endpoint: FakeEndpoint) -> None:
    now = 0.0
    breaker = CircuitBreaker(threshold=2, cooldown_s=20, clock=lambda: now)
    answerer = model(f"{endpoint.url}/v1", breaker=breaker, max_attempts=1)
    scripted(endpoint, Reply(status=500))
    for _ in range(2):
        with pytest.raises(ModelUnavailableError):
            await answerer.complete(ASKED)
    with pytest.raises(ModelUnavailableError) as refused:
        await answerer.complete(ASKED)
    assert refused.value.details == {"reason": "breaker"}
    assert len(endpoint.requests) == 2
    now = 20.0
    scripted(endpoint, Reply("Back."))
    assert (await answerer.complete(ASKED)).text == "Back."
    assert breaker.state == "closed"


async def test_a_cancelled_trial_leaves_the_breaker_usable(endpoint: FakeEndpoint) -> None:
    now = 0.0
    breaker = CircuitBreaker(threshold=1, cooldown_s=20, clock=lambda: now)
    answerer = model(f"{endpoint.url}/v1", breaker=breaker, max_attempts=1)
    scripted(endpoint, Reply(status=500), Reply("It never ends", hold=(hold := Event())), Reply("Back."))
    with pytest.raises(ModelUnavailableError):
        await answerer.complete(ASKED)
    now = 20.0
    async with aclosing(answerer.stream(ASKED)) as stream:
        assert await anext(stream) == "It "
    hold.set()
    assert breaker.state == "half_open"
    assert (await answerer.complete(ASKED)).text == "Back."


async def test_a_cancelled_call_ends_at_once(endpoint: FakeEndpoint) -> None:
    called, hold = Event(), Event()
    endpoint.script = lambda _: called.set() or Reply("It never ends", hold=hold, hold_after=0)
    call = asyncio.create_task(model(f"{endpoint.url}/v1").complete(ASKED))
    assert await asyncio.to_thread(called.wait, 10)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    hold.set()


async def test_a_silent_endpoint_times_out(endpoint: FakeEndpoint) -> None:
    scripted(endpoint, Reply("Too late", hold=(hold := Event()), hold_after=0))
    with pytest.raises(ModelUnavailableError, match="does not answer"):
        await model(f"{endpoint.url}/v1", timeout_s=0.2, max_attempts=1).complete(ASKED)
    hold.set()


async def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []

    async def reply(request: Request) -> Response:
        seen.append(request.headers.get("authorization"))
        return Response(FINISHED, media_type="text/event-stream")

    monkeypatch.setenv("TEST_LLM_KEY", "sk-from-environment")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-asked-for")
    with listening(Starlette(routes=[Route("/v1/chat/completions", reply, methods=["POST"])])) as url:
        await model(f"{url}/v1", api_key_env="TEST_LLM_KEY").complete(ASKED)
        await model(f"{url}/v1").complete(ASKED)
    assert seen == ["Bearer sk-from-environment", "Bearer none"]


@pytest.mark.parametrize(
    ("kind", "style", "quotes"),
    [("embedded", "auto", True), ("openai", "auto", False), ("openai", "quote", True), ("embedded", "prose", False)],
)
async def test_the_style_of_answers_follows_the_endpoint_unless_set(kind: str, style: Any, quotes: bool) -> None:
    role = RoleConfig(endpoint="e", model="m", style=style)
    config = EndpointConfig.model_validate({"kind": kind, "base_url": "http://localhost/v1"})
    assert RoleModel(role, config, "http://localhost/v1", CircuitBreaker()).quotes is quotes


async def test_a_model_s_identity_is_what_its_answers_depend_on() -> None:
    def identity(url: str = "http://127.0.0.1:9/v1", **config: Any) -> str:
        return model(url, **config).identity

    assert identity() == identity(timeout_s=20, price_per_1k_input=1, breaker=CircuitBreaker())
    different = [identity(), identity("http://127.0.0.1:8/v1"), identity(adapter="a@1"), identity(temperature=0.5)]
    assert len(set(different)) == len(different)
