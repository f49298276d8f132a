"""A base model with an adapter's weights added, as one GGUF file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from tools.fraud.errors import AdapterError

Matrix = NDArray[np.float32]

_SIDES = (".lora_a", ".lora_b")
# Four bits would round most of an adapter away; and a prompt is read faster in eight (see docs/decisions/0009).
_TYPE = gguf.GGMLQuantizationType.Q8_0
_MATRIX = 2


def write_merged_gguf(base: Path, adapter: Path, target: Path) -> None:
    """Write `base` with the GGUF LoRA `adapter` added, all matrices in Q8_0; everything else is copied as it is.

    Takes a few seconds. Raises AdapterError when the adapter does not fit the base, OSError when `target` cannot be
    written.
    """
    reader = gguf.GGUFReader(base)
    changes = _changes(gguf.GGUFReader(adapter))
    if unknown := sorted(changes.keys() - {tensor.name for tensor in reader.tensors}):
        raise AdapterError(f"The base has no weight {', '.join(unknown)}.", unknown=unknown)
    writer = gguf.GGUFWriter(target, _architecture(reader))
    _copy_fields(reader, writer)
    for tensor in reader.tensors:
        change = changes.get(tensor.name)
        if len(tensor.shape) < _MATRIX or (change is None and tensor.tensor_type == _TYPE):
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
            continue
        writer.add_tensor(tensor.name, _in_eight_bits(tensor, change), raw_dtype=_TYPE)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _in_eight_bits(tensor: gguf.ReaderTensor, change: Matrix | None) -> NDArray[Any]:
    try:
        weight: Matrix = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        if change is not None:
            if weight.shape != change.shape:
                raise AdapterError(f"{tensor.name} is {weight.shape} in the base and {change.shape} in the adapter.")
            weight = weight + change
        return gguf.quants.quantize(weight, _TYPE)
    except (NotImplementedError, gguf.quants.QuantError) as error:
        raise AdapterError(f"{tensor.name} of the base cannot be merged: {error}") from error


def _changes(adapter: gguf.GGUFReader) -> dict[str, Matrix]:
    """What is added to each weight: alpha / rank x B x A, in the base file's row order."""
    alpha = adapter.get_field("adapter.lora.alpha")
    if alpha is None:
        raise AdapterError("The adapter is no GGUF LoRA: it has no alpha.")
    sides = {tensor.name: np.asarray(tensor.data, dtype=np.float32) for tensor in adapter.tensors}
    changes: dict[str, Matrix] = {}
    for name in {name.removesuffix(side) for name in sides for side in _SIDES if name.endswith(side)}:
        if missing := [f"{name}{side}" for side in _SIDES if f"{name}{side}" not in sides]:
            raise AdapterError(f"The adapter has no {missing[0]}.")
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
        raise AdapterError("The base file names no architecture.")
    return str(field.contents())


if __name__ == "__main__":
    write_merged_gguf(*map(Path, sys.argv[1:4]))
