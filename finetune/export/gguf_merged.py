"""A base model with an adapter's weights added, as one GGUF file for servers that load no adapters."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from finetune.errors import ExportError

Matrix = NDArray[np.float32]

_SIDES = (".lora_a", ".lora_b")
# The base's four bits would round most of an adapter away.
_MERGED_TYPE = gguf.GGMLQuantizationType.Q8_0


def write_merged_gguf(base: Path, adapter: Path, target: Path) -> None:
    """Write `base` with the GGUF LoRA `adapter` added, its tensors in Q8_0; everything else is copied as it is.

    Raises ExportError when the adapter does not fit the base.
    """
    reader = gguf.GGUFReader(base)
    changes = _changes(gguf.GGUFReader(adapter))
    names = {tensor.name for tensor in reader.tensors}
    if unknown := sorted(changes.keys() - names):
        raise ExportError([f"the base has no weight {name}" for name in unknown])
    writer = gguf.GGUFWriter(target, _architecture(reader))
    _copy_fields(reader, writer)
    for tensor in reader.tensors:
        if (change := changes.get(tensor.name)) is None:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
            continue
        merged: Matrix = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        if merged.shape != change.shape:
            raise ExportError([f"{tensor.name} is {merged.shape} in the base and {change.shape} in the adapter"])
        packed = gguf.quants.quantize((merged + change).astype(np.float32), _MERGED_TYPE)
        writer.add_tensor(tensor.name, packed, raw_dtype=_MERGED_TYPE)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _changes(adapter: gguf.GGUFReader) -> dict[str, Matrix]:
    """What is added to each weight: alpha / rank x B x A, in the base file's row order."""
    alpha = adapter.get_field("adapter.lora.alpha")
    if alpha is None:
        raise ExportError(["the adapter is no GGUF LoRA: it has no alpha"])
    sides = {tensor.name: np.asarray(tensor.data, dtype=np.float32) for tensor in adapter.tensors}
    changes: dict[str, Matrix] = {}
    for name in {name.removesuffix(side) for name in sides for side in _SIDES if name.endswith(side)}:
        a, b = (sides[f"{name}{side}"] for side in _SIDES)
        changes[name] = (b @ a) * np.float32(alpha.contents() / len(a))
    return changes


def _copy_fields(reader: gguf.GGUFReader, writer: gguf.GGUFWriter) -> None:
    for field in reader.fields.values():
        # The writer sets these itself.
        if field.name == gguf.Keys.General.ARCHITECTURE or field.name.startswith("GGUF."):
            continue
        kind = field.types[0]
        of = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=of)


def _architecture(reader: gguf.GGUFReader) -> str:
    field = reader.get_field(gguf.Keys.General.ARCHITECTURE)
    if field is None:
        raise ExportError(["the base file names no architecture"])
    return str(field.contents())
