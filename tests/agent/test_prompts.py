from __future__ import annotations

from pathlib import Path

import pytest

from agent.prompts import load_prompt


@pytest.mark.parametrize("name", ["prose", "quote", "rewrite"])
def test_every_prompt_that_the_nodes_use_is_there(name: str) -> None:
    prompt = load_prompt(name)
    assert prompt.text
    assert prompt.text == prompt.text.strip()
    assert prompt.id == f"{name}.v{prompt.version}"


def test_the_newest_version_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file, text in {
        "greet.v2.md": "two",
        "greet.v10.md": "ten\n",
        "greet.vx.md": "no",
        "greet.v11.txt": "no",
    }.items():
        (tmp_path / file).write_text(text)
    monkeypatch.setattr("agent.prompts.resources.files", lambda _: tmp_path)
    prompt = load_prompt("greet")
    load_prompt.cache_clear()
    assert (prompt.id, prompt.text) == ("greet.v10", "ten")


def test_an_unknown_prompt_is_named() -> None:
    with pytest.raises(KeyError, match="no-such"):
        load_prompt("no-such")
