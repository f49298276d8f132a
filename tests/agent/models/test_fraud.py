"""Adapters served by the packaged model: found, refused, exchanged while scores are under way."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.models.catalog import load_catalog
from agent.models.fraud import FraudModels, ServedFraud
from agent.models.gateway import ModelGateway
from tests.agent.models.adapters import write_adapter
from tools.files import file_sha256
from tools.fraud.adapters import POINTER_NAME, RegistryEntry, adapter_folder, registry_json
from tools.fraud.label import label_logit
from tools.fraud.manifest import MANIFEST_NAME, AdapterManifest, WeightsFile

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]

_MERGE_S = 120
TEXT = "950 EUR, 33 times the usual amount, online, 3h at night."


@pytest.fixture(scope="module")
def gateway() -> Iterator[ModelGateway]:
    gateway = ModelGateway(load_catalog())
    yield gateway
    gateway.close()


def promote(registry: Path, name: str) -> None:
    partial = registry / ".pointer"
    partial.write_text(registry_json([RegistryEntry(name, "fraud", "production", "2026-01-01")]))
    partial.replace(registry / POINTER_NAME)


async def merged(models: FraudModels) -> None:
    """Wait until the adapter that serves is one file with its base."""
    async with asyncio.timeout(_MERGE_S):
        while True:
            async with models.serving() as served:
                if served.merged:
                    return
            await asyncio.sleep(0.05)


async def logit(served: ServedFraud) -> float:
    return (await label_logit(served.model, TEXT)).logp_fraud


async def test_promotions_reach_a_running_server_and_scores_under_way_end_on_the_old_one(
    gateway: ModelGateway, tmp_path: Path
) -> None:
    for seed, name in enumerate(["fraud@one", "fraud@two"], 1):
        write_adapter(tmp_path, name, seed)
    promote(tmp_path, "fraud@one")
    models = FraudModels(gateway, tmp_path, tmp_path / "merged")
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
    models = FraudModels(gateway, tmp_path, tmp_path / "merged")
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
    models = FraudModels(gateway, tmp_path, tmp_path / "merged")
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
    models = FraudModels(gateway, tmp_path / "none", tmp_path / "merged")
    async with models.serving() as served:
        assert (served.manifest is None) == (await models.adapter() is None)
    models.close()


async def test_in_a_process_that_stays_an_adapter_is_merged_once(gateway: ModelGateway, tmp_path: Path) -> None:
    write_adapter(tmp_path, "fraud@one", 1)
    promote(tmp_path, "fraud@one")
    models = FraudModels(gateway, tmp_path, tmp_path / "merged")
    async with models.serving() as apart:
        assert not apart.merged
        await models.load()
        await merged(models)
        async with models.serving() as together:
            assert await models.adapter() == "fraud@one"
            base = await logit(ServedFraud(gateway.role("answer")))
            effect = await logit(apart) - base
            assert await logit(together) - base == pytest.approx(effect, rel=0.2)
    assert apart.server is None
    models.close()
    again = FraudModels(gateway, tmp_path, tmp_path / "merged")
    async with again.serving() as served:
        assert served.merged
    again.close()


async def test_what_is_promoted_during_a_merge_is_merged_next(gateway: ModelGateway, tmp_path: Path) -> None:
    for seed, name in enumerate(["fraud@one", "fraud@two"], 1):
        write_adapter(tmp_path, name, seed)
    promote(tmp_path, "fraud@one")
    models = FraudModels(gateway, tmp_path, tmp_path / "merged")
    await models.load()
    promote(tmp_path, "fraud@two")
    assert await models.adapter() == "fraud@two"
    promote(tmp_path, "fraud@one")
    assert await models.adapter() == "fraud@one"
    await merged(models)
    assert await models.adapter() == "fraud@one"
    models.close()


async def test_a_merged_file_that_llama_cpp_cannot_load_is_discarded(gateway: ModelGateway, tmp_path: Path) -> None:
    write_adapter(tmp_path, "fraud@one", 1)
    promote(tmp_path, "fraud@one")
    models = FraudModels(gateway, tmp_path, tmp_path / "merged")
    await models.load()
    await merged(models)
    models.close()
    [file] = (tmp_path / "merged").glob("*.gguf")
    file.write_bytes(b"GGUF but no model")
    file.with_suffix(".sha256").write_text(file_sha256(file))
    again = FraudModels(gateway, tmp_path, tmp_path / "merged")
    async with again.serving() as served:
        assert served.name == "fraud@one"
        assert not served.merged
    assert not file.exists()
    again.close()


async def test_what_cannot_be_merged_is_served_beside_its_base(
    gateway: ModelGateway, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_adapter(tmp_path, "fraud@one", 1)
    promote(tmp_path, "fraud@one")
    (tmp_path / "merged").write_text("no folder")
    models = FraudModels(gateway, tmp_path, tmp_path / "merged")
    with caplog.at_level(logging.WARNING):
        await models.load()
        for _ in range(20 * _MERGE_S):
            if caplog.records:
                break
            await asyncio.sleep(0.05)
    assert "beside its base" in caplog.text
    async with models.serving() as served:
        assert served.server is not None
        assert not served.merged
    models.close()
