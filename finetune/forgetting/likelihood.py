"""Log-likelihood of texts under a causal language model, with an adapter or without: what it finds probable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from finetune.forgetting.pairs import Pair
from finetune.label_model import Inputs, hidden_states, length_batches, whole_model

Floats = NDArray[np.float64]
Form = Literal["plain", "chat"]
Progress = Callable[[int], None]
"""Hears how many lines were scored since the last call."""

FORMS: tuple[Form, ...] = ("plain", "chat")
_BATCH = 32


@dataclass(frozen=True)
class Line:
    """Token ids of a text, counted from `start` on (at least 1: the first token has nothing before it)."""

    ids: list[int]
    start: int

    @property
    def counted(self) -> int:
        """Tokens whose probability is counted."""
        return len(self.ids) - self.start


def pair_lines(tokenizer: Any, pair: Pair, form: Form) -> tuple[Line, Line]:
    """A pair's right and wrong text, counted from the first token in which they differ.

    In the form `chat` a user asks to finish the sentence and the assistant has repeated its beginning.
    """
    beginning = pair.prompt
    if form == "chat":
        message = {"role": "user", "content": f"Finish this sentence: {pair.prompt}"}
        asked: str = tokenizer.apply_chat_template([message], tokenize=False, add_generation_prompt=True)
        beginning = asked + pair.prompt
    right, wrong = (_ids(tokenizer, beginning + end) for end in (pair.right, pair.wrong))
    start = max(1, _shared([right, wrong]))
    return Line(right, start), Line(wrong, start)


def text_line(tokenizer: Any, text: str) -> Line:
    """A whole text, for its perplexity."""
    return Line(_ids(tokenizer, text), 1)


@torch.no_grad()
def log_likelihoods(model: Any, lines: Sequence[Line], progress: Progress = lambda done: None) -> Floats:
    """The natural logarithm of each line's probability, from its `start` on: [lines]."""
    shared = min(_shared([line.ids for line in lines]), min(line.start for line in lines) - 1)
    prefix = torch.tensor(lines[0].ids[:shared], dtype=torch.long)
    inputs = Inputs(prefix, [torch.tensor(line.ids[shared:]) for line in lines])
    found = np.zeros(len(lines))
    for rows in length_batches(inputs.lengths, _BATCH):
        hidden = hidden_states(model, inputs, inputs.batch(rows))
        found[rows] = _counted(model, hidden, [lines[row] for row in rows], shared)
        progress(len(rows))
    return found


def _counted(model: Any, hidden: Tensor, lines: Sequence[Line], shared: int) -> list[float]:
    """Sums over the counted tokens; the token at place n is foretold at n - 1."""
    counts = [line.counted for line in lines]
    wanted = [hidden[row, line.start - shared - 1 : len(line.ids) - shared - 1] for row, line in enumerate(lines)]
    targets = torch.tensor([token for line in lines for token in line.ids[line.start :]], device=hidden.device)
    logp = torch.log_softmax(whole_model(model).lm_head(torch.cat(wanted)).float(), dim=1)
    chosen: Floats = logp[torch.arange(len(targets), device=hidden.device), targets].double().cpu().numpy()
    return [float(part.sum()) for part in np.split(chosen, np.cumsum(counts)[:-1])]


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def _shared(ids: Sequence[list[int]]) -> int:
    """Tokens that all begin with. The smallest and the largest row differ first where any two do."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(min(ids), max(ids), strict=False)))
