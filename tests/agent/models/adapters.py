"""Adapters of the packaged model, made in a moment."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from agent.models.files import LANGUAGE_MODEL
from tools.files import file_sha256
from tools.fraud.adapters import adapter_folder
from tools.fraud.calibration import Calibration
from tools.fraud.manifest import MANIFEST_NAME, AdapterManifest, WeightsFile
from tools.fraud.narrative import NARRATIVE_VERSION
from tools.fraud.prompt import load_prompt


def write_adapter(registry: Path, name: str, seed: int, layer: int = 29) -> Path:
    """The folder of a random adapter of one layer's output matrix."""
    folder = adapter_folder(registry, name)
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(folder / "adapter.gguf", "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 4.0)
    writer.add_tensor(f"blk.{layer}.ffn_down.weight.lora_a", random.normal(0, 0.1, (4, 1536)).astype(np.float32))
    writer.add_tensor(f"blk.{layer}.ffn_down.weight.lora_b", random.normal(0, 2.0, (576, 4)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    prompt = load_prompt()
    manifest = AdapterManifest(
        name=name,
        task="fraud",
        base=WeightsFile(name=LANGUAGE_MODEL.name, sha256=LANGUAGE_MODEL.sha256),
        adapter=WeightsFile(name="adapter.gguf", sha256=file_sha256(folder / "adapter.gguf")),
        prompt_version=prompt.version,
        prompt_sha256=prompt.sha256,
        narrative_version=NARRATIVE_VERSION,
        labels=prompt.labels,
        calibration=Calibration(method="temperature_bias"),
    )
    (folder / MANIFEST_NAME).write_text(manifest.model_dump_json())
    return folder
