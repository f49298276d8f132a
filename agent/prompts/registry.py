"""Which version of each prompt is in use: the newest, unless the registry's file names another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.prompts import Prompt, all_prompts
from tools.errors import SwitchyardError
from tools.files import write_atomically


class PromptError(SwitchyardError):
    """A prompt cannot be used, or the registry's file cannot be read or written."""

    code = "prompt_registry"


class _Choice(BaseModel):
    """The version that somebody chose, and the one that it took the place of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(ge=1)
    previous: int | None = Field(default=None, ge=1)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    prompts: dict[str, _Choice] = Field(default_factory=dict[str, _Choice])


class PromptRegistry:
    """The versions of all prompts, and the choice among them, kept in one small file. Calls block."""

    def __init__(self, file: Path, prompts: Sequence[Prompt] | None = None) -> None:
        """Choose among `prompts`, by default the packaged ones; without the `file` the newest are in use."""
        self.file = file
        self._versions: dict[str, dict[int, Prompt]] = {}
        for prompt in all_prompts() if prompts is None else prompts:
            self._versions.setdefault(prompt.name, {})[prompt.version] = prompt

    def versions(self, name: str) -> list[Prompt]:
        """Every version of a prompt, the oldest first.

        Raises:
            PromptError: `unknown_prompt`.
        """
        if name not in self._versions:
            known = ", ".join(sorted(self._versions))
            raise PromptError(f"There is no prompt {name!r}; there are {known}.", code="unknown_prompt", prompt=name)
        return [prompt for _, prompt in sorted(self._versions[name].items())]

    def find(self, name: str, version: int) -> Prompt:
        """One version of a prompt.

        Raises:
            PromptError: `unknown_prompt` or `unknown_prompt_version`.
        """
        versions = self.versions(name)
        if version not in self._versions[name]:
            known = ", ".join(prompt.id for prompt in versions)
            raise PromptError(
                f"There is no {name}.v{version}; there is {known}.",
                code="unknown_prompt_version",
                prompt=name,
                version=version,
            )
        return self._versions[name][version]

    def in_use(self) -> dict[str, Prompt]:
        """The version in use of every prompt, by name.

        Raises:
            PromptError: the file is not readable, or names what does not exist.
        """
        newest = {name: self.versions(name)[-1] for name in sorted(self._versions)}
        return newest | {name: self._chosen(name, choice) for name, choice in self._read().items()}

    def previous(self, name: str) -> Prompt:
        """The version that was in use before; where nobody ever chose, the one before the newest.

        Raises:
            PromptError: `unknown_prompt`, `no_previous_prompt`, or the file is not readable.
        """
        choice = self._read().get(name)
        if choice is not None and choice.previous is not None:
            return self.find(name, choice.previous)
        current = self._current(name)
        older = [prompt for prompt in self.versions(name) if prompt.version < current]
        if not older:
            raise PromptError(
                f"{name}.v{current} is the only version that was ever in use.", code="no_previous_prompt", prompt=name
            )
        return older[-1]

    def use(self, wanted: Prompt) -> str:
        """Make a version the one in use, also over newer ones that a later release brings.

        Returns the id of the one that was in use before, which may be gone by now.

        Raises:
            PromptError: the version does not exist, or the file cannot be read or written.
        """
        name = wanted.name
        self.find(name, wanted.version)
        current = self._current(name)
        if current != wanted.version:
            choice = _Choice(version=wanted.version, previous=current)
            self._write(_File(prompts={**self._read(), name: choice}))
        return f"{name}.v{current}"

    def _chosen(self, name: str, choice: _Choice) -> Prompt:
        try:
            return self.find(name, choice.version)
        except PromptError as error:
            fix = f"Choose another: switchyard prompts rollback {name} VERSION"
            if error.code == "unknown_prompt":
                fix = f"Remove {name!r} from it"
            raise PromptError(
                f"{self.file} names what is not there: {error.message} {fix}.", code=error.code, **error.details
            ) from None

    def _current(self, name: str) -> int:
        choice = self._read().get(name)
        return self.versions(name)[-1].version if choice is None else choice.version

    def _write(self, content: _File) -> None:
        try:
            write_atomically(self.file, content.model_dump_json(indent=1) + "\n")
        except OSError as error:
            raise PromptError(f"{self.file} cannot be written ({error.strerror}).", path=str(self.file)) from None

    def _read(self) -> Mapping[str, _Choice]:
        try:
            return _File.model_validate_json(self.file.read_bytes()).prompts
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValidationError):
            raise PromptError(
                f"{self.file} cannot be read. Repair it, or delete it to use the newest version of every prompt.",
                path=str(self.file),
            ) from None
