"""Training on whole answers, seeded: only the answer's tokens are learned, the prompt is only read."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from finetune.extract.rows import Example
from finetune.training.adapter import linear_modules

_WARM_UP = 0.06
_LAST_RATE = 0.05
_LARGEST_GRADIENT = 1.0
# Batches of like lengths are made of this many at a time.
_SORTED_BATCHES = 20
_EVAL_BATCH = 16

Progress = Callable[[int, int, float], None]


@dataclass(frozen=True)
class ExtractRecipe:
    """How the adapter is trained. Layers below `first_layer` get none, so that nothing is computed backwards there.

    With `minutes` it ends in time: the rate falls with the time that is gone, and rows may be left out.
    """

    epochs: int = 1
    learning_rate: float = 1e-3
    rank: int = 16
    first_layer: int = 12
    minutes: float | None = None
    batch_size: int = 8
    max_length: int = 896
    bf16: bool = True
    seed: int = 0


def add_field_adapter(model: Any, recipe: ExtractRecipe) -> Any:
    """The model, in bfloat16 where the recipe says so, with a fresh LoRA adapter on its upper layers."""
    torch.manual_seed(recipe.seed)
    layers = range(min(recipe.first_layer, model.config.num_hidden_layers - 1), model.config.num_hidden_layers)
    config = LoraConfig(
        task_type="CAUSAL_LM", r=recipe.rank, lora_alpha=2 * recipe.rank, target_modules=linear_modules(model),
        layers_to_transform=list(layers),
    )  # fmt: skip
    return get_peft_model(model.to(torch.bfloat16 if recipe.bf16 else torch.float32), config)


def train(model: Any, shown: Sequence[Example], recipe: ExtractRecipe, progress: Progress) -> int:
    """Train the adapter of `model`; `progress(step, steps, loss)` hears of every step. Returns how many were made."""
    model.train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=0.0, betas=(0.9, 0.99))
    steps = math.ceil(len(shown) / recipe.batch_size) * recipe.epochs
    begun, done = time.monotonic(), 0
    for step, batch in enumerate(_batches(shown, recipe)):
        gone = 0.0 if recipe.minutes is None else (time.monotonic() - begun) / (60 * recipe.minutes)
        if gone >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _rate(max(gone, step / steps))
        loss = answer_loss(model, batch, bf16=recipe.bf16)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, _LARGEST_GRADIENT)
        optimizer.step()
        done = step + 1
        progress(done, steps, loss.item())
    model.eval()
    return done


@torch.no_grad()
def validation_loss(model: Any, shown: Sequence[Example], *, bf16: bool) -> float | None:
    """Mean loss of an answer's token over rows that were not trained on; None where there are none."""
    losses = [
        (answer_loss(model, shown[at : at + _EVAL_BATCH], bf16=bf16).item(), len(shown[at : at + _EVAL_BATCH]))
        for at in range(0, len(shown), _EVAL_BATCH)
    ]
    return sum(loss * count for loss, count in losses) / len(shown) if losses else None


def answer_loss(model: Any, batch: Sequence[Example], *, bf16: bool) -> Tensor:
    """Cross-entropy of the answers' tokens. The output layer, a fifth of the model, sees only their places."""
    ids = pad_sequence([torch.tensor([*one.prompt, *one.answer]) for one in batch], batch_first=True)
    device = next(model.parameters()).device
    rows = torch.tensor([row for row, one in enumerate(batch) for _ in one.answer])
    places = torch.tensor([len(one.prompt) - 1 + at for one in batch for at in range(len(one.answer))])
    wanted = torch.tensor([token for one in batch for token in one.answer])
    causal = model.get_base_model()
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        # What pads the end is seen by no token of the rows: attention looks back only.
        states = causal.model(input_ids=ids.to(device)).last_hidden_state
        logits = causal.lm_head(states[rows, places])
    return cross_entropy(logits.float(), wanted.to(device))


def _rate(gone: float) -> float:
    """Up in a line, then down as a cosine, by the share of the training that is gone."""
    if gone < _WARM_UP:
        return (gone + 0.01) / (_WARM_UP + 0.01)
    return max(_LAST_RATE, 0.5 * (1 + math.cos(math.pi * (gone - _WARM_UP) / (1 - _WARM_UP))))


def _batches(shown: Sequence[Example], recipe: ExtractRecipe) -> Iterator[list[Example]]:
    """Every epoch in another order; those of a batch are about as long."""
    rng = random.Random(recipe.seed)
    size = recipe.batch_size
    for _ in range(recipe.epochs):
        order = rng.sample(shown, len(shown))
        batches: list[list[Example]] = []
        for start in range(0, len(order), size * _SORTED_BATCHES):
            part = sorted(order[start : start + size * _SORTED_BATCHES], key=lambda one: one.length)
            batches += [part[i : i + size] for i in range(0, len(part), size)]
        yield from rng.sample(batches, len(batches))
