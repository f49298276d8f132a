"""The span reader while it is trained: the embedding model's layers with an adapter, and a head for spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import BertModel

from tools.knowledge.reader_input import ReaderInput

# Wherever the scores of a span may not lie: on the question, on padding.
_NOWHERE = -1e4
_MATRICES = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]


@dataclass(frozen=True)
class Batch:
    """Inputs of one length: tokens, parts and mask are (n, length); `allowed` is 0 where a span may lie."""

    tokens: Tensor
    parts: Tensor
    mask: Tensor
    allowed: Tensor

    @classmethod
    def of(cls, inputs: Sequence[ReaderInput]) -> Batch:
        """Pad inputs to the longest one."""
        shape = len(inputs), max(len(one.tokens) for one in inputs)
        tokens, parts, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
        allowed = torch.full(shape, _NOWHERE)
        for row, one in enumerate(inputs):
            length = len(one.tokens)
            tokens[row, :length] = torch.tensor(one.tokens)
            parts[row, :length] = torch.tensor(one.parts)
            mask[row, :length] = 1
            allowed[row, 0] = allowed[row, one.first : one.end] = 0
        return cls(tokens, parts, mask, allowed)


class ReaderModel(nn.Module):
    """Scores of each token as the first and as the last one of the answer; token 0 means that there is none."""

    def __init__(self, base: Path, rank: int) -> None:
        super().__init__()
        # Drawing dropout takes as long as the layers on a CPU; the adapter's rank and few epochs bound it instead.
        still: dict[str, Any] = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        bert: Any = BertModel.from_pretrained(base, add_pooling_layer=False, attn_implementation="eager", **still)
        for parameter in bert.parameters():
            parameter.requires_grad = False
        adapter = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=_MATRICES)
        self.bert: Any = get_peft_model(bert, adapter)
        self.head = nn.Linear(bert.config.hidden_size, 2)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, batch: Batch) -> Tensor:
        """(n, length, 2) log-odds."""
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_fast_bf16()):
            read = self.bert(input_ids=batch.tokens, token_type_ids=batch.parts, attention_mask=batch.mask)
        return self.head(read.last_hidden_state.float()) + batch.allowed[..., None]

    @torch.no_grad()
    def scores(self, inputs: Sequence[ReaderInput]) -> list[NDArray[np.float32]]:
        """The (tokens, 2) scores of each input."""
        found = self(Batch.of(inputs)).numpy()
        return [scores[: len(one.tokens)] for scores, one in zip(found, inputs, strict=True)]


def has_fast_bf16() -> bool:
    """Whether this processor multiplies 16-bit numbers faster than 32-bit ones."""
    supported: Any = torch.cpu
    return bool(supported._is_avx512_bf16_supported())
