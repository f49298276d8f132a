"""Averaging the adapters of several epochs: often a little better than the best of them, never worse on validation."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from finetune.training.adapter import CONFIG_NAME, WEIGHTS_NAME
from finetune.training.trainer import LabelTrainer

AVERAGED = "averaged"
_LAST = 3


def average_checkpoints(trainer: LabelTrainer, best: Path, metric: str) -> Path:
    """The folder of the better one: `best`, or the mean of the last three checkpoints. It is then in the model.

    See Izmailov et al. 2018; here over A and B of the adapters, not over their product.
    """
    numbered = sorted(best.parent.glob("checkpoint-*"), key=lambda path: int(path.name.partition("-")[2]))
    if len(numbered) < 2:
        return best
    weights = [load_file(folder / WEIGHTS_NAME) for folder in numbered[-_LAST:]]
    mean = {name: torch.stack([part[name] for part in weights]).mean(0) for name in weights[0]}
    folder = best.parent / AVERAGED
    folder.mkdir(exist_ok=True)
    save_file(mean, folder / WEIGHTS_NAME)
    (folder / CONFIG_NAME).write_bytes((best / CONFIG_NAME).read_bytes())
    before = trainer.score()[metric]
    trainer.load_adapter(folder)
    if trainer.score()[metric] > before:
        return folder
    trainer.load_adapter(best)
    return best
