"""TRL's SFTTrainer with the label objective: one token is learned, everything before it is only read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import set_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import one_hot
from trl.trainer.sft_trainer import SFTTrainer

from finetune.label_model import Inputs, label_logits, length_batches
from finetune.objective import Logits, label_loss
from finetune.training.general import GeneralText
from finetune.training.sampler import BucketSampler
from finetune.training.teacher import Teacher

EVAL_BATCH = 32


@dataclass(frozen=True)
class Split:
    """Rows of one split as the model reads them; `labels` are places in the label space, 0 the positive class."""

    inputs: Inputs
    labels: list[int]
    teacher: Teacher | None = None

    def targets(self, rows: Sequence[int], classes: int, taught: float) -> Tensor:
        """How probable each label ought to be, [rows, classes]: the label, and by the share `taught` the teacher."""
        labels = one_hot(torch.tensor([self.labels[row] for row in rows]), classes).float()
        if self.teacher is None:
            return labels
        positive = torch.tensor(self.teacher.probabilities[list(rows)]).float()
        return taught * torch.stack([positive, 1 - positive], dim=1) + (1 - taught) * labels


@dataclass
class Throughput:
    """Tokens that training has read, and the time that it took."""

    tokens: int = 0
    seconds: float = 0.0

    @property
    def tokens_per_s(self) -> float:
        """Tokens a second, forward and backward, evaluation left out."""
        return self.tokens / self.seconds if self.seconds else 0.0


Metric = Callable[[Logits, Sequence[int]], dict[str, float]]


class LabelTrainer(SFTTrainer):
    """Batches are row numbers; logits come from `label_logits`, metrics from `metric` over the validation split."""

    def __init__(
        self,
        *args: Any,
        train: Split,
        validation: Split,
        label_ids: Sequence[int],
        sampler: BucketSampler,
        metric: Metric,
        general: GeneralText | None = None,
        **kwargs: Any,
    ) -> None:
        self._train_split = train
        self._validation = validation
        self._label_ids = list(label_ids)
        self._sampler = sampler
        self._metric = metric
        self._general = general
        self.throughput = Throughput()
        super().__init__(*args, data_collator=_row_numbers, **kwargs)
        # The loss is a mean over rows: the trainer divides it by the accumulation steps.
        self.model_accepts_loss_kwargs = False

    def compute_loss(self, model: Any, inputs: Mapping[str, Tensor], *_: Any, **__: Any) -> Tensor:
        """The label loss of a batch, and beside it that of general text by its share."""
        rows = inputs["rows"].tolist()
        batch = self._train_split.inputs.batch(rows)
        taught = max(0.0, 1 - self.state.global_step / self.args.max_steps)
        targets = self._train_split.targets(rows, len(self._label_ids), taught)
        # The layers are called one by one, past the forward pass that the trainer makes mixed precision of.
        with self.accelerator.autocast():
            logits = label_logits(self.accelerator.unwrap_model(model), self._train_split.inputs, batch).float()
        loss = label_loss(logits, targets.to(logits.device), self._label_ids)
        if self._general is not None:
            seed = [self.args.seed, self.state.global_step, *rows]
            loss = loss + self._general.per_row * self._general.loss(model, len(rows), seed)
        self.throughput.tokens += batch.inputs.shape[0] * batch.inputs.shape[1]
        return loss

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:
        """One step, timed."""
        started = time.perf_counter()
        loss = super().training_step(*args, **kwargs)
        self.throughput.seconds += time.perf_counter() - started
        return loss

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Metrics over the validation split; the trainer keeps the checkpoint that is best in one of them."""
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in self.score().items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def score(self) -> dict[str, float]:
        """Metrics of the model as it is over the validation split."""
        return self._metric(split_logits(self.model, self._validation, self._label_ids), self._validation.labels)

    def load_adapter(self, folder: Path) -> None:
        """Put the weights of a checkpoint into the model."""
        set_peft_model_state_dict(self.model, load_file(folder / "adapter_model.safetensors"))

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """None: the card is written on export, with figures."""

    def _get_train_sampler(self, *_: Any, **__: Any) -> Any:
        return self._sampler


@torch.no_grad()
def split_logits(model: Any, split: Split, label_ids: Sequence[int]) -> Logits:
    """Logits of the label words for each row, in order: [rows, labels]."""
    training = model.training
    model.eval()
    found = np.zeros((len(split.inputs.rows), len(label_ids)))
    for rows in length_batches(split.inputs.lengths, EVAL_BATCH):
        logits = label_logits(model, split.inputs, split.inputs.batch(rows))
        found[rows] = logits[:, list(label_ids)].double().cpu().numpy()
    model.train(training)
    return found


def _row_numbers(examples: Sequence[Mapping[str, int]]) -> dict[str, Tensor]:
    return {"rows": torch.tensor([example["row"] for example in examples])}
