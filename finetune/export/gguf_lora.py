"""A PEFT LoRA adapter as GGUF, in the form that llama.cpp loads.

llama.cpp knows one alpha and multiplies by alpha / rank. Ranks and scales that differ by layer, and rsLoRA, are baked
into B here; what cannot be expressed is refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file

from finetune.errors import ExportError
from finetune.training.adapter import CONFIG_NAME, WEIGHTS_NAME

Matrix = NDArray[np.float32]

_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")
_REFUSED: Mapping[str, str] = {
    "use_dora": "DoRA's magnitudes have no place in llama.cpp's format; train with use_dora off",
    "modules_to_save": "whole modules beside the adapter cannot be served; train without modules_to_save",
    "trainable_token_indices": "trained token embeddings cannot be served",
    "lora_bias": "a LoRA bias cannot be served",
    "fan_in_fan_out": "transposed weights (fan_in_fan_out) cannot be served",
    "alora_invocation_tokens": "an activated LoRA depends on tokens that the server is not told",
}


@dataclass(frozen=True)
class _Pair:
    a: Matrix
    b: Matrix


def reasons_against(config: Mapping[str, Any], modules: list[str] | None = None) -> list[str]:
    """Why an adapter cannot be served by llama.cpp; empty when it can."""
    reasons = [reason for key, reason in _REFUSED.items() if config.get(key)]
    if config.get("peft_type", "LORA") != "LORA":
        reasons.append(f"{config['peft_type']} is no LoRA adapter")
    if config.get("bias", "none") != "none":
        reasons.append("trained biases cannot be served; train with bias none")
    outside = [module for module in modules or [] if "embed_tokens" in module or "lm_head" in module]
    if outside:
        reasons.append(f"adapters of {', '.join(sorted(outside))} cannot be served")
    return reasons


def write_gguf_lora(adapter: Path, base: Path, target: Path) -> None:
    """Convert the PEFT adapter in folder `adapter`, trained on the GGUF `base`, to `target`, in half precision.

    Raises ExportError with every reason when llama.cpp could not serve it faithfully.
    """
    config: dict[str, Any] = json.loads((adapter / CONFIG_NAME).read_text("utf-8"))
    pairs = _pairs(adapter)
    if reasons := reasons_against(config, list(pairs)):
        raise ExportError(reasons)
    reader = gguf.GGUFReader(base)
    architecture = str(_field(reader, "general.architecture"))
    if architecture != "llama":
        raise ExportError([f"the architecture {architecture!r} is not known here; only llama's row order is"])
    heads = int(_field(reader, "llama.attention.head_count"))
    groups = int(_field(reader, "llama.attention.head_count_kv"))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, int(_field(reader, "llama.block_count")))
    shapes = {tensor.name: tuple(int(size) for size in tensor.shape) for tensor in reader.tensors}
    rank = max(pair.a.shape[0] for pair in pairs.values())

    writer = gguf.GGUFWriter(target, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(rank))
    for module, pair in sorted(pairs.items()):
        name = names.get_name(module)
        if name is None or shapes.get(f"{name}.weight") != (pair.a.shape[1], pair.b.shape[0]):
            raise ExportError([f"the base has no weight for {module} of shape {(pair.b.shape[0], pair.a.shape[1])}"])
        # The loader multiplies by alpha / (this pair's rank), with the one alpha above.
        b = pair.b * np.float32(scale(config, module, pair.a.shape[0]) * pair.a.shape[0] / rank)
        if name.endswith("attn_q"):
            b = permute(b, heads)
        elif name.endswith("attn_k"):
            b = permute(b, groups)
        writer.add_tensor(f"{name}.weight.lora_a", pair.a.astype(np.float16))
        writer.add_tensor(f"{name}.weight.lora_b", np.ascontiguousarray(b.astype(np.float16)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    """What PEFT multiplies B x A by for a module: alpha / rank, or alpha / sqrt(rank) with rsLoRA."""
    alpha = float(config["lora_alpha"])
    patterns: Mapping[str, float] = config.get("alpha_pattern") or {}
    for pattern, value in patterns.items():
        if re.match(rf"(?:.*\.)?({pattern})$", module):
            alpha = float(value)
            break
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def permute(rows: Matrix, heads: int) -> Matrix:
    """Rows of a query or key matrix [heads x size, n] in llama.cpp's order: halves of each head interleaved.

    Hugging Face rotates the halves of a head, llama.cpp neighbouring rows. Leaving this out loads without an error.
    """
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(rows.shape)


def _pairs(adapter: Path) -> dict[str, _Pair]:
    sides: dict[str, dict[str, Matrix]] = {}
    unknown: list[str] = []
    for key, tensor in load_file(adapter / WEIGHTS_NAME).items():
        if found := _KEY.fullmatch(key):
            sides.setdefault(found["module"], {})[found["side"]] = tensor.float().numpy()
        else:
            unknown.append(key)
    if unknown:
        raise ExportError([f"the tensor {key} is no part of a plain LoRA adapter" for key in sorted(unknown)[:5]])
    return {module: _Pair(found["A"], found["B"]) for module, found in sides.items()}


def _field(reader: gguf.GGUFReader, name: str) -> Any:
    field = reader.get_field(name)
    if field is None:
        raise ExportError([f"the base file has no {name}"])
    return field.contents()
