"""Linear layers in 8-bit integers, for bulk scoring on CPUs: most of a forward pass in half the time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

_LARGEST = 127
_SMALLEST_SCALE = 1e-12


class Int8Linear(nn.Module):
    """A linear layer on int8 weights and inputs, with a scale for each output and each token.

    Vector-wise quantisation as in Dettmers et al. 2022 (LLM.int8): one token's large values leave others as they are.
    """

    def __init__(self, linear: nn.Linear) -> None:
        """Quantise the weights of `linear`."""
        super().__init__()
        weight = linear.weight.detach().float()
        self._scales = _scales(weight)
        self._weights = (weight / self._scales).round().to(torch.int8).t().contiguous()
        bias: Tensor | None = getattr(linear, "bias", None)
        self._bias = None if bias is None else bias.detach().float()

    def forward(self, inputs: Tensor) -> Tensor:
        """`inputs` [..., in] times the weights: [..., out]."""
        tokens = inputs.reshape(-1, inputs.shape[-1])
        scales = _scales(tokens)
        products = torch.ops.aten._int_mm((tokens / scales).round_().to(torch.int8), self._weights).float()
        products = products.mul_(scales).mul_(self._scales.t())
        if self._bias is not None:
            products += self._bias
        return products.view(*inputs.shape[:-1], -1)


def int8_twin(model: Any) -> Any:
    """A copy of a decoder whose layers compute in int8; it shares all other weights with `model`."""
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    twin = copy.deepcopy(model, shared)
    for parent, name, linear in list(_linears(twin)):
        setattr(parent, name, Int8Linear(linear))
    return twin


def _scales(rows: Tensor) -> Tensor:
    """What one step of int8 stands for in each row: [rows, 1]."""
    return rows.abs().amax(dim=1, keepdim=True).div_(_LARGEST).clamp_min_(_SMALLEST_SCALE)


def _linears(model: Any) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    for layer in model.model.layers:
        for parent in layer.modules():
            for name, part in parent.named_children():
                if isinstance(part, nn.Linear):
                    yield parent, name, part
