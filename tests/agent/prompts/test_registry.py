from __future__ import annotations

from pathlib import Path

import pytest

from agent.prompts import Prompt
from agent.prompts.registry import PromptError, PromptRegistry

PROMPTS = [Prompt("greet", 1, "one"), Prompt("greet", 2, "two"), Prompt("greet", 3, "three"), Prompt("part", 1, "bye")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "prompts.json"


@pytest.fixture
def registry(file: Path) -> PromptRegistry:
    return PromptRegistry(file, PROMPTS)


def in_use(registry: PromptRegistry, name: str = "greet") -> str:
    return registry.in_use()[name].id


def test_the_newest_is_in_use_until_somebody_chooses(registry: PromptRegistry, file: Path) -> None:
    assert {name: prompt.id for name, prompt in registry.in_use().items()} == {"greet": "greet.v3", "part": "part.v1"}
    assert not file.exists()


def test_a_choice_is_kept_and_newer_versions_do_not_change_it(registry: PromptRegistry, file: Path) -> None:
    registry.use(registry.find("greet", 1))
    upgraded = PromptRegistry(file, [*PROMPTS, Prompt("greet", 4, "four"), Prompt("part", 2, "so long")])
    assert in_use(upgraded) == "greet.v1"
    assert in_use(upgraded, "part") == "part.v2"
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_back_and_forth_between_the_last_two(registry: PromptRegistry) -> None:
    assert registry.previous("greet").id == "greet.v2"
    registry.use(registry.find("greet", 1))
    assert registry.previous("greet").id == "greet.v3"
    for expected in ("greet.v3", "greet.v1"):
        registry.use(registry.previous("greet"))
        assert in_use(registry) == expected


def test_choosing_what_is_in_use_changes_nothing(registry: PromptRegistry, file: Path) -> None:
    registry.use(registry.find("greet", 3))
    assert not file.exists()
    registry.use(registry.find("greet", 1))
    registry.use(registry.find("greet", 1))
    assert registry.previous("greet").id == "greet.v3"


def test_what_does_not_exist_is_refused_with_a_code(registry: PromptRegistry, file: Path) -> None:
    for attempt, code, said in (
        (lambda: registry.versions("sing"), "unknown_prompt", "greet, part"),
        (lambda: registry.find("greet", 9), "unknown_prompt_version", "greet.v1, greet.v2, greet.v3"),
        (lambda: registry.use(Prompt("greet", 9, "nine")), "unknown_prompt_version", "greet.v9"),
        (lambda: registry.previous("part"), "no_previous_prompt", "part.v1"),
    ):
        with pytest.raises(PromptError, match=said) as caught:
            attempt()
        assert caught.value.code == code
    assert not file.exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"format": 2, "prompts": {}}',
        '{"format": 1, "prompts": {"greet": 1}}',
        '{"format": 1, "prompts": {"greet": {"version": 0}}}',
        '{"format": 1, "prompts": {"greet": {"version": 1, "more": 1}}}',
    ],
)
def test_a_broken_file_is_refused_and_stays_as_it_is(registry: PromptRegistry, file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    for attempt in (registry.in_use, lambda: registry.use(registry.find("greet", 1))):
        with pytest.raises(PromptError, match="delete it") as caught:
            attempt()
        assert caught.value.code == "prompt_registry"
    assert file.read_text() == content


def test_a_file_that_names_what_is_gone_is_refused_until_somebody_chooses_again(
    registry: PromptRegistry, file: Path
) -> None:
    registry.use(registry.find("greet", 2))
    without = [prompt for prompt in PROMPTS if prompt.id != "greet.v2"]
    upgraded = PromptRegistry(file, without)
    with pytest.raises(PromptError, match=r"no greet\.v2") as caught:
        upgraded.in_use()
    assert caught.value.code == "unknown_prompt_version"
    without_greet = PromptRegistry(file, [prompt for prompt in PROMPTS if prompt.name != "greet"])
    with pytest.raises(PromptError, match="Remove 'greet' from it") as caught:
        without_greet.in_use()
    assert caught.value.code == "unknown_prompt"
    assert upgraded.use(upgraded.find("greet", 1)) == "greet.v2"
    assert in_use(upgraded) == "greet.v1"


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the folder's place")
    registry = PromptRegistry(tmp_path / "data" / "prompts.json", PROMPTS)
    with pytest.raises(PromptError, match="cannot be written"):
        registry.use(registry.find("greet", 1))
