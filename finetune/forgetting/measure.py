"""Score everything three times: the base alone, the adapter on it, and the adapter switched off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peft import PeftModel
from safetensors import SafetensorError

from finetune.base import Base, load_model, load_tokenizer
from finetune.errors import RecipeError
from finetune.forgetting.likelihood import FORMS, Floats, Line, Progress, log_likelihoods, pair_lines, text_line
from finetune.forgetting.pairs import Pair

STATES = ("before", "adapter_on", "adapter_off")
PASSES = len(STATES)


@dataclass(frozen=True)
class Lines:
    """What is scored: per form the pairs' right and wrong lines by turns, and the paragraphs of each text."""

    forms: dict[str, list[Line]]
    texts: dict[str, list[Line]]

    @property
    def groups(self) -> dict[str, list[Line]]:
        """All lines, by what shares a prefix."""
        return {**{f"form {name}": part for name, part in self.forms.items()}, **self.texts}

    @property
    def count(self) -> int:
        """How many lines one pass scores."""
        return sum(map(len, self.groups.values()))


@dataclass(frozen=True)
class Likelihoods:
    """Log-likelihoods of one pass."""

    margins: Floats
    """How much more probable the right continuation is, as a natural logarithm: [forms, pairs]."""
    texts: dict[str, Floats]
    """Sums over each paragraph's tokens."""

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the right continuation is the more probable one: [forms, pairs]."""
        return np.greater(self.margins, 0)

    def largest_difference(self, other: Likelihoods) -> float:
        """The largest difference of any two of their figures."""
        pairs = [(self.margins, other.margins), *((self.texts[name], other.texts[name]) for name in self.texts)]
        return float(max(np.abs(one - two).max() for one, two in pairs))


def encode_lines(base: Base, pairs: Sequence[Pair], texts: Mapping[str, Sequence[str]]) -> Lines:
    """Token ids of the pairs in every form, and of the texts."""
    tokenizer = load_tokenizer(base)
    forms = {str(form): [line for pair in pairs for line in pair_lines(tokenizer, pair, form)] for form in FORMS}
    return Lines(forms, {name: [text_line(tokenizer, text) for text in part] for name, part in texts.items()})


def score_states(adapter: Path, base: Base, lines: Lines, progress: Progress) -> dict[str, Likelihoods]:
    """A pass for each of `STATES`. Raises RecipeError when the adapter's files do not fit the base."""
    model: Any = load_model(base).eval()
    scored = {"before": _score(model, lines, progress)}
    model = _attach(model, adapter).eval()
    scored["adapter_on"] = _score(model, lines, progress)
    with model.disable_adapter():
        scored["adapter_off"] = _score(model, lines, progress)
    return scored


def _attach(model: Any, adapter: Path) -> Any:
    try:
        return PeftModel.from_pretrained(model, str(adapter))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise RecipeError(
            f"The adapter in {adapter} cannot be loaded on this base. Name the base that it was trained on with "
            "--base, or train it again."
        ) from error


def _score(model: Any, lines: Lines, progress: Progress) -> Likelihoods:
    found = {name: log_likelihoods(model, part, progress) for name, part in lines.groups.items()}
    margins = [found[f"form {name}"][::2] - found[f"form {name}"][1::2] for name in lines.forms]
    return Likelihoods(np.stack(margins), {name: found[name] for name in lines.texts})
