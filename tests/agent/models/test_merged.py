"""Merged models as files: made, found again, refused when damaged, bounded in number."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from agent.models.merged import MergedFiles
from tests.agent.models.adapters import write_adapter
from tools.fraud.errors import AdapterError
from tools.fraud.manifest import MANIFEST_NAME, AdapterManifest

pytestmark = pytest.mark.model


def manifest(folder: Path) -> AdapterManifest:
    return AdapterManifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())


def names(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


async def test_a_merged_file_is_found_until_it_is_damaged(tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path, "fraud@one", 1)
    files = MergedFiles(tmp_path / "merged")
    assert files.find(manifest(adapter)) is None
    await files.make(manifest(adapter), adapter / "adapter.gguf")
    found = files.find(manifest(adapter))
    assert found is not None
    with found.open("r+b") as file:
        file.seek(-1000, 2)
        file.write(b"damage")
    assert files.find(manifest(adapter)) is None
    found.unlink()
    assert files.find(manifest(adapter)) is None


async def test_the_last_two_are_kept(tmp_path: Path) -> None:
    folders = [write_adapter(tmp_path, f"fraud@{seed}", seed) for seed in range(3)]
    files = MergedFiles(tmp_path / "merged")
    for folder in folders:
        await files.make(manifest(folder), folder / "adapter.gguf")
    assert [files.find(manifest(folder)) is not None for folder in folders] == [False, True, True]
    assert names(tmp_path / "merged") == [".gguf", ".gguf", ".sha256", ".sha256"]


async def test_an_adapter_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path, "fraud@large", 1, layer=99)
    with pytest.raises(AdapterError, match=r"no weight blk\.99"):
        await MergedFiles(tmp_path / "merged").make(manifest(adapter), adapter / "adapter.gguf")
    assert names(tmp_path / "merged") == []


async def test_a_cancelled_merge_leaves_nothing(tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path, "fraud@one", 1)
    folder = tmp_path / "merged"
    merging = asyncio.create_task(MergedFiles(folder).make(manifest(adapter), adapter / "adapter.gguf"))
    for _ in range(6000):
        if list(folder.glob("*.partial")):
            break
        await asyncio.sleep(0.01)
    merging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await merging
    assert names(folder) == []
    assert not [child for child in psutil.Process().children() if "agent.models.gguf_merged" in child.cmdline()]


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path, "fraud@one", 1)
    (tmp_path / "merged").write_text("no folder")
    with pytest.raises(AdapterError, match="cannot be written"):
        await MergedFiles(tmp_path / "merged").make(manifest(adapter), adapter / "adapter.gguf")
