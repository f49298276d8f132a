"""Written answers with a judge behind them, through the whole graph."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.models.catalog import load_catalog
from agent.models.gateway import ModelGateway
from agent.services import Services
from tests.fakes.endpoint import FakeEndpoint, Reply, scripted
from tests.graphs.conftest import converse
from tests.graphs.conversation import Conversation

pytestmark = pytest.mark.asyncio(loop_scope="session")

WINDOW = "How many days do credit card holders have to dispute a transaction?"


@pytest.fixture
def judged_chat(services: Services, fake: FakeEndpoint, tmp_path: Path) -> Conversation:
    gateway = ModelGateway(load_catalog(fake.models_file(tmp_path / "judge.yaml", judge=True)))
    return converse(replace(services, models=gateway))


def judging(fake: FakeEndpoint, verdict: Reply) -> None:
    def script(body: dict[str, Any]) -> Reply:
        return verdict if body["model"] == "fake-judge" else scripted(body)

    fake.script = script


async def test_a_supported_answer_names_its_judge(judged_chat: Conversation, fake: FakeEndpoint) -> None:
    judging(fake, Reply('{"supported": true}'))
    result = (await judged_chat.say(WINDOW)).result
    assert result.route == "knowledge"
    assert result.explanation["judge"]["refused"] == 0
    assert result.versions["judge_model"] == "fake-judge"
    assert result.versions["judge_prompt"].startswith("judge.v")


async def test_what_the_judge_refuses_is_not_answered(judged_chat: Conversation, fake: FakeEndpoint) -> None:
    judging(fake, Reply('{"supported": false}'))
    result = (await judged_chat.say(WINDOW)).result
    assert (result.route, result.reason, result.citations) == ("unknown", "not_supported", [])
    assert result.explanation["judge"]["refused"] == 1


async def test_a_judge_that_fails_leaves_it_to_the_words(judged_chat: Conversation, fake: FakeEndpoint) -> None:
    judging(fake, Reply(status=500))
    result = (await judged_chat.say(WINDOW)).result
    assert result.route == "knowledge"
    assert result.explanation["judge"]["fallback"] == "lexical"
