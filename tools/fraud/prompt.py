"""The prompt that asks a model for a label; training and serving share its text and its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.errors import NotFoundError
from tools.fraud.number_levels import NumberLevels
from tools.ports import Message
from tools.untrusted import inert

FRAUD = "FRAUD"
LEGITIMATE = "LEGITIMATE"
DEFAULT_PROMPT = "label.v1"
_FOLDER = Path(__file__).with_name("prompts")


@dataclass(frozen=True)
class LabelExample:
    """A narrative with its answer."""

    narrative: str
    label: str


@dataclass(frozen=True)
class LabelPrompt:
    """A versioned instruction, the labels it asks for, and examples. What stays the same comes first, for the cache.

    With `levels` the numbers of a narrative are shown as levels.
    """

    version: str
    instruction: str
    labels: tuple[str, ...] = (FRAUD, LEGITIMATE)
    examples: tuple[LabelExample, ...] = ()
    levels: NumberLevels | None = None

    @property
    def sha256(self) -> str:
        """Hash of the instruction and labels, as an adapter's manifest records it; adapters have no examples."""
        return hashlib.sha256("\n".join([self.instruction, *self.labels]).encode()).hexdigest()

    @property
    def grammar(self) -> str:
        """GBNF that allows nothing but the labels."""
        return "root ::= " + " | ".join(f'"{label}"' for label in self.labels)

    def messages(self, narrative: str) -> tuple[Message, ...]:
        """The chat messages that ask for this narrative's label; no narrative can end its own message.

        Training and bulk scoring render them without the gateway, which sees to it elsewhere.
        """
        shown = [
            message
            for example in self.examples
            for message in (Message("user", example.narrative), Message("assistant", example.label))
        ]
        told = inert(narrative)
        read = told if self.levels is None else self.levels.apply(told)
        return Message("system", self.instruction), *shown, Message("user", read)


@cache
def load_prompt(version: str = DEFAULT_PROMPT) -> LabelPrompt:
    """Read a prompt by its version, e.g. `label.v1`; raises NotFoundError when there is none."""
    path = _FOLDER / f"{version}.md"
    if path.parent != _FOLDER or not path.is_file():
        raise NotFoundError(f"There is no prompt {version!r}.", prompt=version)
    return LabelPrompt(version, path.read_text(encoding="utf-8").strip())
