from __future__ import annotations

import pytest
import torch
from torch import nn

from finetune.base import Base, load_model
from finetune.int8 import Int8Linear, int8_twin


@pytest.mark.parametrize("bias", [True, False])
def test_products_are_nearly_those_of_the_floats_also_beside_tokens_with_huge_values(bias: bool) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(64, 48, bias=bias)
    inputs = torch.randn(5, 7, 64)
    inputs[2] *= 1000
    with torch.no_grad():
        exact, fast = linear(inputs), Int8Linear(linear)(inputs)
    assert fast.shape == exact.shape
    assert float(((fast - exact).norm(dim=-1) / exact.norm(dim=-1)).max()) < 0.02


def test_a_row_of_zeros_in_the_weights_stays_zero() -> None:
    linear = nn.Linear(8, 3, bias=False)
    nn.init.zeros_(linear.weight)
    assert not Int8Linear(linear)(torch.ones(1, 8)).any()


def test_a_twin_leaves_its_model_alone_and_shares_what_it_does_not_quantise(tiny_base: Base) -> None:
    model = load_model(tiny_base)
    twin = int8_twin(model)
    layer, other = model.model.layers[0], twin.model.layers[0]
    assert isinstance(layer.self_attn.q_proj, nn.Linear)
    assert isinstance(other.self_attn.q_proj, Int8Linear)
    assert other.input_layernorm.weight is layer.input_layernorm.weight
    assert twin.model.embed_tokens.weight is model.model.embed_tokens.weight
