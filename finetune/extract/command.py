"""`python -m finetune extract`: from rows to a folder that the extract role loads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import torch
import typer

from finetune.base import Base, load_model, load_tokenizer
from finetune.errors import ExportError
from finetune.export.gguf_lora import write_gguf_lora
from finetune.extract.rows import FieldRow, answer_of, examples, split
from finetune.extract.train import ExtractRecipe, add_field_adapter, train, validation_loss
from tools.extraction.adapter import ADAPTER_NAME, MANIFEST_NAME, TASK, prompt_sha256
from tools.files import file_sha256, write_atomically

_TELL_EVERY_S = 15.0


@dataclass(frozen=True)
class ExtractJob:
    """What to train on, how, and where the result goes. `sources` says where the rows are from, for the manifest."""

    rows: Sequence[FieldRow]
    base: Base
    out: Path
    recipe: ExtractRecipe
    sources: Sequence[str]
    threads: int | None = None
