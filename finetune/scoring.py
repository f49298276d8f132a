"""Scoring in torch: the adapter merged into the weights, the shared prompt computed once, rows by length."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from finetune.base import Base, load_model, load_tokenizer
from finetune.encoding import Encoded, encode, first_token
from finetune.errors import RecipeError
from finetune.int8 import int8_twin
from finetune.label_model import label_logits, length_batches, prefix_pass, token_inputs
from finetune.objective import Logits
from finetune.task import AdapterTask
from finetune.training.adapter import merged
from tools.fraud.prompt import LabelPrompt

# Rows at a time: on a CPU so few that what a layer reads and writes stays in its cache.
_BATCH_ON_CPU = 4
_BATCH = 64


@dataclass(frozen=True)
class Scores:
    """Logits of the label words [rows, labels] as log-probabilities over the vocabulary, and what they cost.

    `parsed` says for each row whether the most probable token was a label's: else a plain answer would be unreadable.
    """

    logits: Logits
    parsed: NDArray[np.bool_]
    seconds: float
    tokens: int


class Scorer:
    """A base model, with an adapter or without, that answers with label log-probabilities."""

    def __init__(self, base: Base, prompt: LabelPrompt, max_length: int, adapter: Path | None = None) -> None:
        """Load the model; an adapter is merged into its weights."""
        self._tokenizer = load_tokenizer(base)
        model: Any = load_model(base)
        self._model: Any = (merged(model, adapter) if adapter else model).eval()
        self._batch = _BATCH_ON_CPU if self._model.device.type == "cpu" else _BATCH
        self._prompt = prompt
        self._max_length = max_length
        self._label_ids = [first_token(self._tokenizer, word) for word in prompt.labels]

    @cached_property
    def _int8(self) -> Any:
        # Made for a CPU; a GPU is fast enough as it is.
        return int8_twin(self._model) if self._model.device.type == "cpu" else self._model

    def encode(self, texts: Sequence[str]) -> Encoded:
        """The prompts of these texts as token ids. Raises RowsError for over-length texts."""
        return encode(self._tokenizer, self._prompt, texts, self._max_length)

    def score(self, texts: Sequence[str], batch_size: int | None = None, *, int8: bool = False) -> Scores:
        """Score texts; with `int8` the rows' own tokens in 8-bit integers. Raises RowsError for over-length texts."""
        started = time.perf_counter()
        scores = self.score_encoded(self.encode(texts), batch_size, int8=int8)
        return replace(scores, seconds=time.perf_counter() - started)

    @torch.no_grad()
    def score_encoded(
        self,
        encoded: Encoded,
        batch_size: int | None = None,
        *,
        int8: bool = False,
        progress: Callable[[int], None] = lambda rows: None,
    ) -> Scores:
        """Score what `encode` gave; `progress` hears how many more rows are done."""
        started = time.perf_counter()
        model = self._int8 if int8 else self._model
        inputs = token_inputs(encoded)
        # Always in float: every row attends to it.
        prefix = prefix_pass(self._model, inputs)
        logits = np.zeros((len(inputs.rows), len(self._label_ids)))
        parsed = np.zeros(len(inputs.rows), dtype=bool)
        for rows in length_batches(inputs.lengths, batch_size or self._batch):
            logp = torch.log_softmax(label_logits(model, inputs, inputs.batch(rows), prefix), dim=1)
            logits[rows] = logp[:, self._label_ids].double().cpu().numpy()
            parsed[rows] = np.isin(logp.argmax(dim=1).cpu().numpy(), self._label_ids)
            progress(len(rows))
        return Scores(logits, parsed, time.perf_counter() - started, encoded.tokens)

    @torch.no_grad()
    def score_one_by_one(self, texts: Sequence[str]) -> Scores:
        """The plain way, to hold `score` against: one whole prompt after the other, nothing shared."""
        started = time.perf_counter()
        logits = np.zeros((len(texts), len(self._label_ids)))
        parsed = np.zeros(len(texts), dtype=bool)
        tokens = 0
        for row, text in enumerate(texts):
            encoded = self.encode([text])
            ids = torch.tensor([[*encoded.prefix, *encoded.rows[0]]], device=self._model.device)
            logp = torch.log_softmax(self._model(input_ids=ids, logits_to_keep=1).logits[0, -1].float(), dim=0)
            logits[row] = logp[self._label_ids].double().cpu().numpy()
            parsed[row] = int(logp.argmax()) in self._label_ids
            tokens += ids.shape[1]
        return Scores(logits, parsed, time.perf_counter() - started, tokens)


def open_scorer(folder: Path, task: AdapterTask, base: Base) -> Scorer:
    """The scorer of a trained adapter. Raises RecipeError when it was trained on another base."""
    if task.base_sha256 != base.sha256:
        raise RecipeError(
            f"The adapter in {folder} was trained on {task.base_name} ({task.base_sha256[:12]}), not on {base.name} "
            f"({base.sha256[:12]}). Name its base with --base."
        )
    return Scorer(base, task.prompt, task.max_length, folder)
