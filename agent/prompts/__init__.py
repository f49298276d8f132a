"""Prompts are versioned files: `NAME.vN.md` in this folder. Runs record which version they used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

_NAME = re.compile(r"(?P<name>[a-z_]+)\.v(?P<version>\d+)\.md")


@dataclass(frozen=True)
class Prompt:
    """A prompt's text with where it comes from."""

    name: str
    version: int
    text: str

    @property
    def id(self) -> str:
        """What a run records, such as `prose.v1`."""
        return f"{self.name}.v{self.version}"


def all_prompts() -> list[Prompt]:
    """Every version of every prompt, by name, the oldest first."""
    prompts: list[Prompt] = []
    for file in resources.files("agent.prompts").iterdir():
        if match := _NAME.fullmatch(file.name):
            prompts.append(Prompt(match["name"], int(match["version"]), file.read_text("utf-8").strip()))
    return sorted(prompts, key=lambda prompt: (prompt.name, prompt.version))
