"""An adapter of the extract role: a LoRA for the embedded model that was trained on requests of `tools.extraction.ask`.

It serves the fields that no reader knows, and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.extraction.ask import PROMPT, instructions
from tools.files import file_sha256
from tools.fraud.errors import AdapterError
from tools.fraud.manifest import WeightsFile

MANIFEST_NAME = "manifest.json"
ADAPTER_NAME = "adapter.gguf"
TASK = "extract"


class FieldAdapterManifest(BaseModel):
    """What an adapter was trained for and on, with the hashes that prove which files it means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    base: WeightsFile
    adapter: WeightsFile
    prompt: str
    prompt_sha256: str
    data_sha256: str
    sources: tuple[str, ...] = ()
    rows: int = Field(ge=0)
    recipe: Mapping[str, Any] = {}
    seconds: int = 0
    validation_loss: float | None = None
    created: str


def prompt_sha256() -> str:
    """SHA-256 of the instructions that the model is given in use."""
    return hashlib.sha256(instructions().encode()).hexdigest()


def load_field_adapter(folder: Path, base_sha256: str) -> FieldAdapterManifest:
    """Read an adapter's manifest and check it against its file, the base model and the prompt.

    Raises AdapterError when it is no adapter of the extract role, or anything differs. Reads the whole adapter file.
    """
    try:
        manifest = FieldAdapterManifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())
    except (OSError, ValidationError) as error:
        raise AdapterError(f"The extract adapter {folder} has no readable {MANIFEST_NAME}.") from error
    path = folder / manifest.adapter.name
    if path.parent != folder or not path.is_file():
        raise AdapterError(f"The adapter {manifest.name} has no file {manifest.adapter.name!r}.")
    expected = {
        "adapter file": (manifest.adapter.sha256, file_sha256(path)),
        "base model": (manifest.base.sha256, base_sha256),
        "prompt": ((manifest.prompt, manifest.prompt_sha256), (PROMPT, prompt_sha256())),
    }
    different = [what for what, (stated, found) in expected.items() if stated != found]
    if different:
        raise AdapterError(
            f"The adapter {manifest.name} does not fit: {', '.join(different)} differ from its manifest.",
            different=different,
        )
    return manifest
