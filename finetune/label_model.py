"""Logits of the label words from one forward pass: shared prompt prefix once, rows padded on the right.

Layers below `first_layer` are frozen when an adapter only touches the upper ones. Their output never changes and is
then computed once per row instead of once per epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from finetune.encoding import Encoded

_HALF_MAX = 60_000.0
_REPORT_BATCHES = 20

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Batch:
    """Rows of one forward pass: token ids [rows, tokens] or lower layers' output [rows, tokens, width], padded."""

    inputs: Tensor
    last: Tensor
    """Index of each row's last token."""


@dataclass(frozen=True)
class Inputs:
    """What the trained layers read: per row its token ids [tokens], or the frozen layers' output [tokens, width]."""

    prefix: Tensor
    rows: list[Tensor]

    @property
    def lengths(self) -> list[int]:
        """Tokens of each row."""
        return [len(row) for row in self.rows]

    def batch(self, indices: Sequence[int]) -> Batch:
        """Some rows, padded to the longest. Padding stands on the right, where causal attention never looks."""
        rows = [self.rows[index] for index in indices]
        inputs = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        if inputs.is_floating_point():
            inputs = inputs.float()
        return Batch(inputs, torch.tensor([len(row) - 1 for row in rows]))


class LowerLayers:
    """The frozen layers below `first_layer`, split off a causal language model."""

    def __init__(self, model: Any, first_layer: int) -> None:
        """Split: `model` keeps the layers from `first_layer` on, and then takes `inputs_embeds`."""
        backbone = model.model
        layers: list[Any] = list(backbone.layers)
        self._embed = backbone.embed_tokens
        config = _of_layers(model.config, slice(0, first_layer))
        with torch.device("meta"):
            self._backbone: Any = type(backbone)(config)
        self._backbone.config._attn_implementation = model.config._attn_implementation
        self._backbone.embed_tokens = self._embed
        self._backbone.layers = nn.ModuleList(layers[:first_layer])
        self._backbone.norm = nn.Identity()
        self._backbone.rotary_emb = backbone.rotary_emb
        backbone.layers = nn.ModuleList(layers[first_layer:])
        for index, layer in enumerate(layers[first_layer:]):
            layer.self_attn.layer_idx = index
        # In place: every part of the model holds this configuration.
        for name, value in _layer_settings(model.config, slice(first_layer, None)).items():
            setattr(model.config, name, value)
        self._backbone.eval()

    @torch.no_grad()
    def run(self, encoded: Encoded, progress: Progress = lambda done, of: None, batch_size: int = 32) -> Inputs:
        """The layers' output for every row, in half precision where its range allows; `progress` hears now and then."""
        device = self._embed.weight.device
        prefix = _prefix_pass(self._backbone, torch.tensor(encoded.prefix, device=device))
        tokens = Inputs(torch.tensor(encoded.prefix), [torch.tensor(row) for row in encoded.rows])
        rows: list[Tensor] = [torch.empty(0)] * len(tokens.rows)
        for number, indices in enumerate(length_batches(tokens.lengths, batch_size), 1):
            batch = tokens.batch(indices)
            hidden = _row_pass(self._backbone, prefix, batch.inputs.to(device)).cpu()
            for index, row in zip(indices, hidden, strict=True):
                rows[index] = row[: len(tokens.rows[index])].clone()
            if number % _REPORT_BATCHES == 0:
                progress(min(number * batch_size, len(rows)), len(rows))
        if all(float(row.abs().max()) < _HALF_MAX for row in rows):
            rows = [row.half() for row in rows]
        return Inputs(torch.empty(0) if prefix is None else prefix.hidden[0].cpu(), rows)


def token_inputs(encoded: Encoded) -> Inputs:
    """Inputs of a model whose layers are all trained, or of one that only scores."""
    return Inputs(torch.tensor(encoded.prefix), [torch.tensor(row) for row in encoded.rows])


def label_logits(model: Any, inputs: Inputs, batch: Batch, prefix: Prefix | None = None) -> Tensor:
    """Logits over the whole vocabulary where the label begins: [rows, vocabulary].

    `prefix` is what `prefix_pass` gave for these inputs; without it the shared prompt is computed now.
    """
    hidden = hidden_states(model, inputs, batch, prefix)
    at_label = hidden[torch.arange(len(batch.last), device=hidden.device), batch.last.to(hidden.device)]
    return cast("Tensor", whole_model(model).lm_head(at_label)).float()


def hidden_states(model: Any, inputs: Inputs, batch: Batch, prefix: Prefix | None = None) -> Tensor:
    """The last layer's output at each of the rows' own tokens: [rows, tokens, width]."""
    inner = whole_model(model)
    device = inner.get_input_embeddings().weight.device
    return _row_pass(inner.model, prefix or prefix_pass(model, inputs), batch.inputs.to(device))


def prefix_pass(model: Any, inputs: Inputs) -> Prefix | None:
    """Read what all rows begin with, once; None where they have nothing in common."""
    inner = whole_model(model)
    return _prefix_pass(inner.model, inputs.prefix.to(inner.get_input_embeddings().weight.device))


def whole_model(model: Any) -> Any:
    """The causal language model inside an adapter's wrapper, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def length_batches(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """All rows in batches of similar length: hardly any padding."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def _of_layers(config: Any, kept: slice) -> Any:
    return type(config).from_dict({**config.to_dict(), **_layer_settings(config, kept)})


def _layer_settings(config: Any, kept: slice) -> dict[str, Any]:
    """The settings that count layers or list them, for some of the layers."""
    settings: dict[str, Any] = {"num_hidden_layers": len(range(config.num_hidden_layers)[kept])}
    if getattr(config, "layer_types", None):
        settings["layer_types"] = config.layer_types[kept]
    return settings


@dataclass(frozen=True)
class Prefix:
    """The keys and values of a shared prompt, its last layer's output [1, tokens, width], and its tokens."""

    cache: Any
    hidden: Tensor
    length: int


def _prefix_pass(backbone: Any, prefix: Tensor) -> Prefix | None:
    if len(prefix) == 0:
        return None
    cache: Any = DynamicCache()
    hidden = _forward(backbone, prefix[None], cache, 0)
    return Prefix(cache, hidden, len(prefix))


def _row_pass(backbone: Any, prefix: Prefix | None, rows: Tensor) -> Tensor:
    cache: Any = DynamicCache()
    if prefix is not None:
        for index, layer in enumerate(prefix.cache.layers):
            shape = (len(rows), -1, -1, -1)
            cache.update(layer.keys.expand(shape), layer.values.expand(shape), index)
    return _forward(backbone, rows, cache, 0 if prefix is None else prefix.length)


def _forward(backbone: Any, rows: Tensor, cache: Any, start: int) -> Tensor:
    named = {"inputs_embeds": rows} if rows.is_floating_point() else {"input_ids": rows}
    positions = torch.arange(start, start + rows.shape[1], device=rows.device)[None]
    return backbone(**named, past_key_values=cache, position_ids=positions, use_cache=True).last_hidden_state
