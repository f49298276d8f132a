"""The trained reader as the graph loads it: adapter merged, layers as 8-bit ONNX, word vectors left to the base."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from finetune.reader.model import ReaderModel
from tools.knowledge.span_reader import MODEL_FILE

_OPSET = 17
_TRACED_TOKENS = 40


class _Served(nn.Module):
    """One input without padding: word vectors (1, n, 384) and parts (1, n) to scores (n, 2)."""

    def __init__(self, bert: Any, head: nn.Linear) -> None:
        super().__init__()
        self.embeddings, self.encoder, self.head = bert.embeddings, bert.encoder, head

    def forward(self, words: Tensor, parts: Tensor) -> Tensor:
        states = self.encoder(self.embeddings(inputs_embeds=words, token_type_ids=parts), attention_mask=None)
        return self.head(states.last_hidden_state)[0]


def export(model: ReaderModel, folder: Path) -> Path:
    """Write the model's layers to `folder`; returns the file, 11 MB."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    served = _Served(model.bert.merge_and_unload(), model.head).eval()
    width = model.head.in_features
    words, parts = torch.randn(1, _TRACED_TOKENS, width), torch.zeros(1, _TRACED_TOKENS, dtype=torch.long)
    names: dict[str, Any] = {"input_names": ["words", "parts"], "output_names": ["scores"]}
    axes = {"words": {1: "tokens"}, "parts": {1: "tokens"}, "scores": {0: "tokens"}}
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / MODEL_FILE
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / MODEL_FILE
        torch.onnx.export(
            served, (words, parts), str(full), dynamic_axes=axes, dynamo=False, opset_version=_OPSET, **names
        )
        # One bit less for the weights: processors without VNNI add up pairs of products in 16 bits.
        quantize_dynamic(full, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    return target
