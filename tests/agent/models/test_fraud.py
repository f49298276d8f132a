"""Adapters served by the packaged model: found, refused, exchanged while scores are under way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import pytest

from agent.models.catalog import load_catalog
from agent.models.files import LANGUAGE_MODEL
from agent.models.fraud import FraudModels, ServedFraud
from agent.models.gateway import ModelGateway
from tools.fraud.adapters import POINTER_NAME, RegistryEntry, adapter_folder, registry_json
from tools.fraud.calibration import Calibration
from tools.fraud.label import label_logit
from tools.fraud.manifest import MANIFEST_NAME, AdapterManifest, WeightsFile, file_sha256
from tools.fraud.narrative import NARRATIVE_VERSION
from tools.fraud.prompt import load_prompt

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]

TEXT = "950 EUR, 33 times the usual amount, online, 3h at night."


@pytest.fixture(scope="module")
def gateway() -> Iterator[ModelGateway]:
    gateway = ModelGateway(load_catalog())
    yield gateway
    gateway.close()


def write_adapter(registry: Path, name: str, seed: int) -> None:
    """A random adapter of the last layer's output matrix."""
    folder = adapter_folder(registry, name)
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(folder / "adapter.gguf", "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 4.0)
    writer.add_tensor("blk.29.ffn_down.weight.lora_a", random.normal(0, 0.1, (4, 1536)).astype(np.float32))
    writer.add_tensor("blk.29.ffn_down.weight.lora_b", random.normal(0, 0.5, (576, 4)).astype(np.float32))
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


def promote(registry: Path, name: str) -> None:
    partial = registry / ".pointer"
    partial.write_text(registry_json([RegistryEntry(name, "fraud", "production", "2026-01-01")]))
    partial.replace(registry / POINTER_NAME)


async def logit(served: ServedFraud) -> float:
    return (await label_logit(served.model, TEXT)).logp_fraud


async def test_promotions_reach_a_running_server_and_scores_under_way_end_on_the_old_one(
    gateway: ModelGateway, tmp_path: Path
) -> None:
    for seed, name in enumerate(["fraud@one", "fraud@two"], 1):
        write_adapter(tmp_path, name, seed)
    promote(tmp_path, "fraud@one")
    models = FraudModels(gateway, tmp_path)
    base = await logit(ServedFraud(gateway.role("answer")))
    async with models.serving() as first:
        assert first.manifest is not None
        before = await logit(first)
        promote(tmp_path, "fraud@two")
        async with models.serving() as second:
            assert await models.adapter() == "fraud@two"
            found = await asyncio.gather(logit(first), logit(second), logit(first), logit(second))
    assert found[0] == pytest.approx(before, abs=0.02)
    assert found[2] == pytest.approx(before, abs=0.02)
    assert abs(found[1] - found[0]) > 0.05
    assert min(abs(found[0] - base), abs(found[1] - base)) > 0.05
    assert first.server is None
    models.close()


@pytest.mark.parametrize("damage", ["weights", "manifest", "registry", "unknown"])
async def test_a_damaged_promotion_is_refused_and_the_old_adapter_keeps_serving(
    gateway: ModelGateway, tmp_path: Path, damage: str
) -> None:
    for seed, name in enumerate(["fraud@one", "fraud@two"], 1):
        write_adapter(tmp_path, name, seed)
    promote(tmp_path, "fraud@one")
    models = FraudModels(gateway, tmp_path)
    await models.load()
    if damage == "weights":
        (adapter_folder(tmp_path, "fraud@two") / "adapter.gguf").write_bytes(b"GGUF but not these weights")
    elif damage == "manifest":
        path = adapter_folder(tmp_path, "fraud@two") / MANIFEST_NAME
        path.write_text(json.dumps({**json.loads(path.read_text()), "prompt_sha256": "0" * 64}))
    promote(tmp_path, "fraud@none" if damage == "unknown" else "fraud@two")
    if damage == "registry":
        (tmp_path / POINTER_NAME).write_text("{")
    async with models.serving() as served:
        assert await models.adapter() == "fraud@one"
        assert served.server is not None
    models.close()


async def test_weights_that_llama_cpp_cannot_load_are_refused(gateway: ModelGateway, tmp_path: Path) -> None:
    write_adapter(tmp_path, "fraud@one", 1)
    write_adapter(tmp_path, "fraud@bad", 2)
    promote(tmp_path, "fraud@one")
    models = FraudModels(gateway, tmp_path)
    await models.load()
    folder = adapter_folder(tmp_path, "fraud@bad")
    (folder / "adapter.gguf").write_bytes(b"no weights at all")
    manifest = AdapterManifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())
    honest = WeightsFile(name="adapter.gguf", sha256=file_sha256(folder / "adapter.gguf"))
    (folder / MANIFEST_NAME).write_text(manifest.model_copy(update={"adapter": honest}).model_dump_json())
    promote(tmp_path, "fraud@bad")
    async with models.serving():
        assert await models.adapter() == "fraud@one"
    models.close()


async def test_without_any_adapter_the_base_or_the_packaged_one_serves(gateway: ModelGateway, tmp_path: Path) -> None:
    models = FraudModels(gateway, tmp_path / "none")
    async with models.serving() as served:
        assert (served.manifest is None) == (await models.adapter() is None)
    models.close()
