"""The bytes of uploads that are not indexed yet, on disk: a kill loses none, and a failed one can be tried again."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tools.errors import DocumentError, SwitchyardError

_PARTIAL = ".partial"


class StorageError(SwitchyardError):
    """The disk does not take a document."""

    code = "storage_failed"


class Spool:
    """One file an upload, below one folder; an upload's id is ours, so it is a safe file name. Every method blocks."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made when first needed."""
        self._folder = folder

    def keep(self, upload_id: str, content: bytes) -> None:
        """Write an upload down; it survives a power cut once this returns.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        target = self._folder / upload_id
        partial = target.with_suffix(_PARTIAL)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
            _sync(self._folder)
        except OSError as error:
            raise StorageError(
                f"The document could not be written down ({error.strerror}). Make room on the disk and try again."
            ) from None

    def read(self, upload_id: str | None) -> bytes:
        """An upload's bytes.

        Raises:
            DocumentError: `source_missing`, when they are not here.
        """
        try:
            if upload_id is not None:
                return (self._folder / upload_id).read_bytes()
        except FileNotFoundError:
            pass
        raise DocumentError("The document's file is not kept any more. Upload it again.", code="source_missing")

    def uploads(self) -> list[str]:
        """The uploads that are here."""
        return [path.name for path in self._folder.glob("*") if path.suffix != _PARTIAL]

    def discard(self, upload_id: str | None) -> None:
        """Remove an upload that nobody needs any more, if it is still there."""
        if upload_id is not None:
            (self._folder / upload_id).unlink(missing_ok=True)

    def sweep(self, wanted: Iterable[str]) -> int:
        """Remove every file but the `wanted` uploads: what a kill left between two steps. Returns how many."""
        kept = set(wanted)
        stray = [path for path in self._folder.glob("*") if path.name not in kept]
        for path in stray:
            path.unlink()
        return len(stray)


def _sync(folder: Path) -> None:
    """A new name in a folder is on disk only when the folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
