from __future__ import annotations

from pathlib import Path

import pytest

from agent.prompts import all_prompts


@pytest.mark.parametrize("name", ["prose", "quote", "rewrite", "judge"])
def test_every_prompt_that_the_nodes_use_is_there(name: str) -> None:
    prompt = next(prompt for prompt in all_prompts() if prompt.name == name)
    assert prompt.text
    assert prompt.text == prompt.text.strip()
    assert prompt.id == f"{name}.v{prompt.version}"


def test_versions_are_numbers_and_other_files_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file, text in {
        "greet.v10.md": "ten\n",
        "greet.v2.md": "two",
        "greet.vx.md": "no",
        "greet.v11.txt": "no",
    }.items():
        (tmp_path / file).write_text(text)
    monkeypatch.setattr("agent.prompts.resources.files", lambda _: tmp_path)
    assert [(prompt.id, prompt.text) for prompt in all_prompts()] == [("greet.v2", "two"), ("greet.v10", "ten")]
