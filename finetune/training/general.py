"""General text beside the task's rows, so that an adapter forgets less: the base model writes it itself.

Text that a model samples from itself stands for what it learned, with no data from elsewhere (Liu et al. 2023,
arXiv:2305.17888; for rehearsal Huang et al. 2024, arXiv:2403.01244).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from finetune.label_model import Inputs, hidden_states, whole_model

TEXTS = 256
_TOKENS = 64
_FEWEST_TOKENS = 8
_BATCH = 32
_IGNORED = -100


@dataclass(frozen=True)
class GeneralText:
    """What the trained layers read of each text, its token ids, and how many texts go with each row of the task."""

    inputs: Inputs
    tokens: Sequence[Sequence[int]]
    per_row: float

    def loss(self, model: Any, rows: int, seed: Sequence[int]) -> Tensor:
        """Mean cross-entropy of the next token over the texts drawn for a batch of `rows`; a seed draws the same."""
        count = min(len(self.tokens), max(1, round(self.per_row * rows)))
        places: list[int] = np.random.default_rng(seed).choice(len(self.tokens), count, replace=False).tolist()
        hidden = hidden_states(model, self.inputs, self.inputs.batch(places))
        targets = [torch.tensor(self.tokens[place][1:]) for place in places]
        wanted = pad_sequence(targets, batch_first=True, padding_value=_IGNORED).to(hidden.device)
        logits: Tensor = whole_model(model).lm_head(hidden[:, : wanted.shape[1]]).float()
        return cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=_IGNORED)


def general_texts(model: Any, tokenizer: Any, seed: int, kept: Path, count: int = TEXTS) -> list[list[int]]:
    """Token ids of texts that the model samples, 8 to 64 tokens each; a resumed run reads them from the file `kept`."""
    if kept.is_file():
        return json.loads(kept.read_bytes())
    texts: list[list[int]] = []
    for text in islice(_sampled(model, tokenizer, seed), count):
        texts.append(text)
        if len(texts) % _BATCH == 0:
            print(f"general text: {len(texts)}/{count} written by the base", file=sys.stderr)
    partial = kept.with_suffix(".partial")
    partial.write_text(json.dumps(texts), encoding="utf-8")
    partial.rename(kept)
    return texts


@torch.no_grad()
def _sampled(model: Any, tokenizer: Any, seed: int) -> Iterator[list[int]]:
    """Texts without an end: each begins with any token, since a chat model begins every text of its own alike."""
    torch.manual_seed(seed)
    special = set(tokenizer.all_special_ids)
    first = torch.tensor([token for token in range(len(tokenizer)) if token not in special])
    model.eval()
    while True:
        begun = first[torch.randint(len(first), (_BATCH, 1))].to(model.device)
        # Zero and one switch off the defaults of `generate`, which cut the distribution's tail off.
        written = model.generate(
            begun,
            attention_mask=torch.ones_like(begun),
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            min_new_tokens=_FEWEST_TOKENS - 1,
            max_new_tokens=_TOKENS - 1,
            pad_token_id=tokenizer.eos_token_id,
        )
        yield from (_until(tokenizer.eos_token_id, text) for text in written.tolist())


def _until(end: int, text: list[int]) -> list[int]:
    return text[: text.index(end)] if end in text else text
