from __future__ import annotations

import pytest
import torch

from finetune.base import Base, load_model, load_tokenizer
from finetune.encoding import encode
from finetune.errors import RowsError
from finetune.label_model import LowerLayers, label_logits, length_batches, token_inputs
from tools.fraud.prompt import load_prompt

TEXTS = ["120 EUR, online, 23h at night.", "9.99 USD, card present, known merchant, Paris.", "12 EUR"]


def reference(model: object, prefix: list[int], rows: list[list[int]]) -> torch.Tensor:
    """The plain way: each whole prompt alone."""
    with torch.no_grad():
        return torch.stack([model(input_ids=torch.tensor([prefix + row])).logits[0, -1] for row in rows])


@pytest.mark.parametrize("first_layer", [0, 1, 3])
def test_shared_prefix_padding_and_split_layers_change_nothing(tiny_base: Base, first_layer: int) -> None:
    encoded = encode(load_tokenizer(tiny_base), load_prompt(), TEXTS, 512)
    model = load_model(tiny_base).eval()
    expected = reference(model, encoded.prefix, encoded.rows)
    inputs = LowerLayers(model, first_layer).run(encoded) if first_layer else token_inputs(encoded)
    with torch.no_grad():
        found = label_logits(model, inputs, inputs.batch([0, 1, 2]))
    torch.testing.assert_close(found, expected, atol=2e-2 if first_layer else 1e-4, rtol=1e-2)


def test_a_prompt_alone_keeps_a_token_of_its_own(tiny_base: Base) -> None:
    encoded = encode(load_tokenizer(tiny_base), load_prompt(), ["12 EUR"], 512)
    assert encoded.lengths == [1]
    assert len(encoded.prefix) > 10


def test_over_length_rows_are_all_named(tiny_base: Base) -> None:
    with pytest.raises(RowsError) as caught:
        encode(load_tokenizer(tiny_base), load_prompt(), ["short", "long " * 200, "long " * 300], 180)
    assert list(caught.value.details["rows"]) == [2, 3]


def test_batches_hold_similar_lengths() -> None:
    assert length_batches([5, 1, 9, 2], 2) == [[1, 3], [0, 2]]
