"""The fraud model as one file, base and adapter together: llama.cpp reads a prompt faster than with both apart."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.models.files import LANGUAGE_MODEL
from tools.files import file_sha256
from tools.fraud.errors import AdapterError
from tools.fraud.manifest import AdapterManifest

_WRITER = "agent.models.gguf_merged"
# One to serve, one to roll back to; each has 145 MB.
_KEPT = 2
_PARTIAL = ".partial"


@dataclass(frozen=True)
class MergedFiles:
    """Merged files in one folder, a cache: each can be made again from the base and its adapter."""

    folder: Path

    def find(self, manifest: AdapterManifest) -> Path | None:
        """The merged file of an adapter, None where there is none or it is damaged. Reads the whole file."""
        target = self._target(manifest)
        try:
            whole = _hash_path(target).read_text("utf-8") == file_sha256(target)
        except (OSError, UnicodeDecodeError):
            return None
        if whole:
            # The one that was served last is not the one to delete.
            target.touch()
        return target if whole else None

    def discard(self, manifest: AdapterManifest) -> None:
        """Delete the merged file of an adapter: llama.cpp cannot load it."""
        self._target(manifest).unlink(missing_ok=True)

    async def make(self, manifest: AdapterManifest, adapter: Path) -> None:
        """Write the merged file of an adapter; takes some seconds, in a process of its own, and 145 MB of disk.

        Raises AdapterError when the adapter does not fit the base or the disk is full. A cancelled call leaves nothing.
        """
        target = self._target(manifest)
        partial = target.with_suffix(f".{os.getpid()}{_PARTIAL}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            await _merge(adapter, partial)
            _hash_path(target).write_text(await asyncio.to_thread(file_sha256, partial), "utf-8")
            partial.replace(target)
            self._prune()
        except OSError as error:
            raise AdapterError(f"The merged model cannot be written to {self.folder}: {error.strerror}.") from error
        finally:
            with suppress(OSError):
                partial.unlink()

    def _target(self, manifest: AdapterManifest) -> Path:
        return self.folder / f"{manifest.adapter.sha256[:16]}-{manifest.base.sha256[:16]}.gguf"

    def _prune(self) -> None:
        found = sorted(self.folder.glob("*.gguf"), key=lambda path: path.stat().st_mtime_ns)
        abandoned = self.folder.glob(f"*{_PARTIAL}")
        for old in [*found[:-_KEPT], *map(_hash_path, found[:-_KEPT]), *abandoned]:
            old.unlink(missing_ok=True)


async def _merge(adapter: Path, target: Path) -> None:
    # In this process it would take half a gigabyte for these seconds.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", _WRITER, str(LANGUAGE_MODEL.locate()), str(adapter), str(target),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        _, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = complaint.decode("utf-8", "replace").strip().splitlines()
        raise AdapterError(f"The adapter cannot be merged: {said[-1] if said else process.returncode}")


def _hash_path(target: Path) -> Path:
    return target.with_suffix(".sha256")
