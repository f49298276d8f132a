"""Training of the span reader, seeded: the same rows give the same weights on the same machine."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy

from finetune.reader.model import Batch, ReaderModel
from finetune.reader.negatives import altered, likest_elsewhere
from finetune.reader.rows import ReadingRow
from tools.knowledge.reader_input import ReaderInput, reader_inputs

_WARM_UP = 0.06
_LAST_RATE = 0.02
_LARGEST_GRADIENT = 1.0
# Batches of like lengths are made of this many at a time.
_SORTED_BATCHES = 20

Progress = Callable[[int, int, float], None]


@dataclass(frozen=True)
class ReaderRecipe:
    """How the reader is trained.

    `window` is in tokens; `near_misses` is how often people's near misses are shown, `written` how often our own rows.
    """

    epochs: int = 3
    learning_rate: float = 1e-3
    rank: int = 32
    batch_size: int = 16
    window: int = 288
    likest: int = 2500
    altered: int = 2500
    near_misses: int = 2
    written: int = 2
    seed: int = 0


@dataclass(frozen=True)
class Example:
    """An input with the places of the answer's first and last token; both are 0 where there is none."""

    given: ReaderInput
    first: int
    last: int


def examples(
    rows: Sequence[ReadingRow], written: Sequence[ReadingRow], recipe: ReaderRecipe, tokenizer: Tokenizer
) -> list[Example]:
    """What the reader is shown: the rows, near misses and our own more often, and unanswerable ones made of them."""
    rng = random.Random(recipe.seed)
    shown = [*rows, *(row for row in rows if not row.answerable for _ in range(recipe.near_misses - 1))]
    shown += [row for row in written for _ in range(recipe.written)]
    for make, count in ((likest_elsewhere, recipe.likest), (altered, recipe.altered)):
        made = make([*rows, *written], rng)
        shown += rng.sample(made, min(count, len(made)))
    return [example for row in shown if (example := _example(row, recipe, tokenizer, rng)) is not None]


def train(base: Path, shown: Sequence[Example], recipe: ReaderRecipe, progress: Progress) -> ReaderModel:
    """Train on examples; `progress(step, steps, loss)` hears of every step. Takes a second a batch on one core."""
    torch.manual_seed(recipe.seed)
    model = ReaderModel(base, recipe.rank).train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=0.01)
    steps = math.ceil(len(shown) / recipe.batch_size) * recipe.epochs
    for step, batch in enumerate(_batches(shown, recipe)):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _rate(step, steps)
        loss = _loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, _LARGEST_GRADIENT)
        optimizer.step()
        progress(step + 1, steps, loss.item())
    return model.eval()


def _loss(model: ReaderModel, batch: Sequence[Example]) -> Tensor:
    scores = model(Batch.of([example.given for example in batch]))
    first = torch.tensor([example.first for example in batch])
    last = torch.tensor([example.last for example in batch])
    return (cross_entropy(scores[..., 0], first) + cross_entropy(scores[..., 1], last)) / 2


def _rate(step: int, steps: int) -> float:
    """Up, then down in a line."""
    return min(1.0, (step + 1) / (_WARM_UP * steps)) * max(_LAST_RATE, 1 - step / steps)


def _batches(shown: Sequence[Example], recipe: ReaderRecipe) -> Iterator[list[Example]]:
    """Every epoch in another order; those of a batch are about as long."""
    rng = random.Random(recipe.seed)
    size = recipe.batch_size
    for _ in range(recipe.epochs):
        order = rng.sample(shown, len(shown))
        batches: list[list[Example]] = []
        for start in range(0, len(order), size * _SORTED_BATCHES):
            part = sorted(order[start : start + size * _SORTED_BATCHES], key=lambda one: len(one.given.tokens))
            batches += [part[i : i + size] for i in range(0, len(part), size)]
        yield from rng.sample(batches, len(batches))


def _example(row: ReadingRow, recipe: ReaderRecipe, tokenizer: Tokenizer, rng: random.Random) -> Example | None:
    """A row as the reader is shown it: of a long passage one window; None where no window holds the answer."""
    windows = list(reader_inputs(tokenizer, row.question, row.passage, window=recipe.window))
    if not row.answerable:
        return Example(rng.choice(windows), 0, 0)
    held = [Example(one, *span) for one in windows if (span := answer_span(row, one)) is not None]
    return rng.choice(held) if held else None


def answer_span(row: ReadingRow, given: ReaderInput) -> tuple[int, int] | None:
    """The places of the first and last token of the row's shortest answer within an input."""
    found: list[tuple[int, int]] = []
    for answer in row.answers:
        start = row.passage.find(answer)
        end = start + len(answer)
        inside = [place for place, (a, b) in enumerate(given.offsets) if a < end and b > start]
        whole = inside and given.offsets[inside[0]][0] <= start and given.offsets[inside[-1]][1] >= end
        if start >= 0 and whole:
            found.append((given.first + inside[0], given.first + inside[-1]))
    return min(found, key=lambda span: span[1] - span[0], default=None)


def every(seconds: float, tell: Progress) -> Progress:
    """A progress that is told at most every so many seconds, and of the last step."""
    last = time.monotonic()

    def hear(step: int, steps: int, loss: float) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds or step == steps:
            last = time.monotonic()
            tell(step, steps, loss)

    return hear
