"""A small cross-encoder as a folder: a real ONNX model that counts the words a question and a passage share."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from onnx import TensorProto, helper

from agent.models.files import EMBEDDING_MODEL

# Below are special tokens and punctuation of the tokenizer's vocabulary.
_FIRST_WORD = 1996


def write_cross_encoder(folder: Path, *, sign: float = 1.0, outputs: int = 1, file: str = "model.onnx") -> Path:
    """Write the model with the packaged tokenizer to `folder`.

    A pair scores `sign` times its equal pairs of word pieces, as often in each of its `outputs`.
    """
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    for one in EMBEDDING_MODEL[1:]:
        shutil.copyfile(one.locate(), folder / one.name)
    # Versions that every supported ONNX Runtime reads.
    model = helper.make_model(_graph(sign, outputs), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / file).write_bytes(model.SerializeToString())
    return folder


def _graph(sign: float, outputs: int) -> Any:
    """`sign * sum over i, j of [ids[i] == ids[j], i a word of the passage, j of the question]`."""
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "token_type_ids", "attention_mask")
    ]
    scores = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", outputs])
    constants = [
        helper.make_tensor("first_word", TensorProto.INT64, [], [_FIRST_WORD]),
        helper.make_tensor("zero", TensorProto.INT64, [], [0]),
        helper.make_tensor("rows", TensorProto.INT64, [1], [2]),
        helper.make_tensor("columns", TensorProto.INT64, [1], [1]),
        helper.make_tensor("pairs", TensorProto.INT64, [2], [1, 2]),
        helper.make_tensor("last", TensorProto.INT64, [1], [1]),
        helper.make_tensor("sign", TensorProto.FLOAT, [1, outputs], [sign] * outputs),
    ]
    node = helper.make_node
    nodes = [
        node("GreaterOrEqual", ["input_ids", "first_word"], ["is_word"]),
        node("Greater", ["token_type_ids", "zero"], ["is_passage"]),
        node("Not", ["is_passage"], ["is_question"]),
        node("And", ["is_word", "is_passage"], ["said"]),
        node("And", ["is_word", "is_question"], ["asked"]),
        node("Unsqueeze", ["said", "rows"], ["said_rows"]),
        node("Unsqueeze", ["asked", "columns"], ["asked_columns"]),
        node("And", ["said_rows", "asked_columns"], ["comparable"]),
        node("Unsqueeze", ["input_ids", "rows"], ["id_rows"]),
        node("Unsqueeze", ["input_ids", "columns"], ["id_columns"]),
        node("Equal", ["id_rows", "id_columns"], ["same"]),
        node("And", ["same", "comparable"], ["shared"]),
        node("Cast", ["shared"], ["shared_numbers"], to=TensorProto.FLOAT),
        node("ReduceSum", ["shared_numbers", "pairs"], ["count"], keepdims=0),
        node("Unsqueeze", ["count", "last"], ["count_column"]),
        node("Mul", ["count_column", "sign"], ["logits"]),
    ]
    return helper.make_graph(nodes, "shared words", inputs, [scores], constants)
