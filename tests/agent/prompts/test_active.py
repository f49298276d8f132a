from __future__ import annotations

import logging
from pathlib import Path

import pytest

from agent.prompts import Prompt
from agent.prompts.active import ActivePrompts
from agent.prompts.registry import PromptError, PromptRegistry

PROMPTS = [Prompt("greet", 1, "one"), Prompt("greet", 2, "two")]


@pytest.fixture
def registry(tmp_path: Path) -> PromptRegistry:
    return PromptRegistry(tmp_path / "prompts.json", PROMPTS)


async def test_a_choice_reaches_what_runs_already(registry: PromptRegistry, tmp_path: Path) -> None:
    active = ActivePrompts(PromptRegistry(tmp_path / "prompts.json", PROMPTS))
    assert (await active.get("greet")).text == "two"
    for version, text in ((1, "one"), (2, "two")):
        registry.use(registry.find("greet", version))
        assert (await active.get("greet")).text == text
    registry.use(registry.find("greet", 1))
    registry.file.unlink()
    assert (await active.get("greet")).text == "two"


async def test_a_choice_that_cannot_be_used_changes_nothing(
    registry: PromptRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.use(registry.find("greet", 1))
    active = ActivePrompts(registry)
    for content in ('{"format": 1, "prompts": {"greet": {"version": 7}}}', "{"):
        registry.file.write_text(content)
        with caplog.at_level(logging.ERROR):
            assert [(await active.get("greet")).id for _ in range(3)] == ["greet.v1"] * 3
    refused = [record.message for record in caplog.records]
    assert len(refused) == 2
    assert "greet.v7" in refused[0]


def test_a_choice_that_cannot_be_used_stops_the_start(registry: PromptRegistry) -> None:
    registry.file.write_text('{"format": 1, "prompts": {"greet": {"version": 7}}}')
    with pytest.raises(PromptError, match=r"greet\.v7"):
        ActivePrompts(registry)


async def test_an_unknown_prompt_is_named(registry: PromptRegistry) -> None:
    with pytest.raises(KeyError, match="no-such"):
        await ActivePrompts(registry).get("no-such")
