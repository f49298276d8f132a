"""A task's classes and the words that stand for them: what the model is asked to say."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from finetune.errors import RowsError
from tools.fraud.prompt import FRAUD, LEGITIMATE, LabelPrompt, load_prompt

FRAUD_TASK = "fraud"
CUSTOM_PROMPT = "custom"
MAX_CLASSES = 20
_POSITIVE = frozenset("1 fraud fraudulent bad true yes y positive default suspicious spam abuse".split())
_NEGATIVE = frozenset("0 legitimate legit genuine good false no n negative normal ok ham".split())


@dataclass(frozen=True)
class LabelSpace:
    """Classes as the file names them and, in the same order, the words that stand for them. The first is positive."""

    classes: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def binary(self) -> bool:
        """Whether there are two classes."""
        return len(self.classes) == 2

    def index(self, label: str) -> int:
        """A class's place. Raises RowsError for a label that was not there in training."""
        for at, name in enumerate(self.classes):
            if label == name or label == self.words[at]:
                return at
        folded = label.casefold()
        matches = [
            at for at, name in enumerate(self.classes) if self.binary and _side(folded) == _side(name.casefold())
        ]
        if len(matches) == 1 and _side(folded) is not None:
            return matches[0]
        raise RowsError(f"The label {label!r} is none of {', '.join(self.classes)}.", code="unknown_label")


def find_classes(labels: Iterable[str], positive: str | None = None) -> tuple[str, ...]:
    """The classes, the positive one first.

    Of two classes the positive is the named one, else the one that says so (1, fraud, bad, yes, ...), else the rarer.
    Raises RowsError for one class only, or more than twenty.
    """
    counts = Counter(labels)
    names = [name for name, _ in sorted(counts.items(), key=lambda item: (item[1], item[0]))]
    if len(names) < 2:
        raise RowsError(f"All rows have the label {names[0]!r}: there is nothing to learn.", code="one_class")
    if len(names) > MAX_CLASSES:
        raise RowsError(
            f"There are {len(names)} labels, at most {MAX_CLASSES} can be learned.", code="too_many_classes"
        )
    if positive is not None and positive not in counts:
        raise RowsError(
            f"No row has the positive label {positive!r}; there are {', '.join(names)}.", code="no_positive"
        )
    if len(names) == 2:
        names.sort(key=lambda name: {True: 0, None: 1, False: 2}[_side(name.casefold())])
    if positive is not None:
        names.sort(key=lambda name: name != positive)
    return tuple(names)


def make_prompt(task: str, classes: Sequence[str], first_token: Callable[[str], int]) -> tuple[LabelPrompt, LabelSpace]:
    """The instruction of a task and its label words, which differ in their first token (`first_token`).

    The fraud task has the prompt that serving uses.
    """
    if task == FRAUD_TASK and len(classes) == 2:
        return load_prompt(), LabelSpace(tuple(classes), (FRAUD, LEGITIMATE))
    words = _words(classes, first_token)
    meaning = (
        ""
        if words == tuple(classes)
        else " " + ", ".join(f"{word} means {name}" for word, name in zip(words, classes, strict=True)) + "."
    )
    choices = f"{', '.join(words[:-1])} or {words[-1]}"
    instruction = (
        f"You are a classifier for {task.replace('_', ' ')}. Read the text and answer with one word: {choices}."
    )
    return LabelPrompt(CUSTOM_PROMPT, instruction + meaning, words), LabelSpace(tuple(classes), words)


def _words(classes: Sequence[str], first_token: Callable[[str], int]) -> tuple[str, ...]:
    if [_side(name.casefold()) for name in classes] == [True, False] and not all(name.isalpha() for name in classes):
        return ("YES", "NO")
    named = all(name.isalpha() for name in classes)
    if named and len({first_token(name) for name in classes}) == len(classes):
        return tuple(classes)
    return tuple(string.ascii_uppercase[: len(classes)])


def _side(name: str) -> bool | None:
    return True if name in _POSITIVE else False if name in _NEGATIVE else None
