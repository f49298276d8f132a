"""Where commands find documents: files and folders, or whatever fsspec has a file system for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, cast

from tools.errors import InputError
from tools.knowledge.parsers.detect import EXTENSIONS


@dataclass(frozen=True)
class FoundFile:
    """A file as it is now; `revision` changes when it does."""

    path: str
    revision: str


class Source(Protocol):
    """A place with files. Both methods block and raise `OSError` where it cannot be read."""

    @property
    def name(self) -> str:
        """Names the source, on whichever day and from whichever folder it is opened."""
        ...

    def files(self) -> list[FoundFile]:
        """All files of known kinds that are not hidden, in the order of their paths."""
        ...

    def read(self, path: str) -> bytes:
        """A file's bytes."""
        ...


def open_source(place: str) -> Source:
    """The folder or bucket that `place`, a path or a URL, names.

    Raises:
        InputError: `unknown_source`, there is no such folder, or nothing that reads such a URL.
    """
    if "://" in place:
        return ObjectSource.open(place)
    folder = Path(place)
    if not folder.is_dir():
        raise InputError(f"There is no folder {place!r}.", code="unknown_source")
    return FolderSource(folder.resolve())


def is_wanted(path: PurePosixPath) -> bool:
    """Whether a file, named from its source on, is of a known kind and not hidden."""
    return path.suffix.lower() in EXTENSIONS and not any(part.startswith(".") for part in path.parts)


def find_files(paths: Sequence[Path], output: Path | None = None) -> list[Path]:
    """Files as they are named, and of folders all files of known kinds that are not hidden, each once.

    The file that a command writes, `output`, is none of them.

    Raises:
        InputError: `no_files`, there is none.
    """
    found = dict.fromkeys(file for path in paths for file in _files(path))
    own = None if output is None else output.resolve()
    files = [file for file in found if own is None or file.resolve() != own]
    if not files:
        looked_for = " ".join(sorted(EXTENSIONS))
        raise InputError(
            f"No file that can be read: {', '.join(map(str, paths))} (looked for {looked_for}).", code="no_files"
        )
    return files


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for found in sorted(path.rglob("*")):
        if is_wanted(PurePosixPath(found.relative_to(path).as_posix())) and found.is_file():
            yield found


@dataclass(frozen=True)
class FolderSource:
    """A folder and everything below it. A file's revision is its modification time and size."""

    folder: Path

    @property
    def name(self) -> str:
        """See `Source.name`."""
        return self.folder.as_uri()

    def files(self) -> list[FoundFile]:
        """See `Source.files`."""
        return list(self._files())

    def read(self, path: str) -> bytes:
        """See `Source.read`."""
        return (self.folder / path).read_bytes()

    def _files(self) -> Iterator[FoundFile]:
        for found in sorted(self.folder.rglob("*")):
            path = found.relative_to(self.folder)
            if is_wanted(PurePosixPath(path.as_posix())) and found.is_file():
                status = found.stat()
                yield FoundFile(path.as_posix(), f"{status.st_mtime_ns}-{status.st_size}")


@dataclass(frozen=True)
class ObjectSource:
    """A bucket, or a prefix in one. An object's revision is a digest of what its store says: ETag, times, size."""

    url: str
    file_system: Any
    root: str

    @classmethod
    def open(cls, url: str) -> ObjectSource:
        """Find the file system for a URL.

        Raises:
            InputError: `unknown_source`.
        """
        import fsspec.core  # pyright: ignore[reportMissingTypeStubs]

        try:
            file_system, root = cast("tuple[Any, str]", fsspec.core.url_to_fs(url))
        except (ImportError, ValueError) as error:
            raise InputError(f"{url!r} cannot be read: {error}", code="unknown_source") from None
        return cls(url.rstrip("/"), file_system, root.rstrip("/"))

    @property
    def name(self) -> str:
        """See `Source.name`."""
        return self.url

    def files(self) -> list[FoundFile]:
        """See `Source.files`."""
        listed = cast("dict[str, dict[str, Any]]", self.file_system.find(self.root, detail=True))
        found = ((path.removeprefix(self.root).lstrip("/"), details) for path, details in sorted(listed.items()))
        return [FoundFile(path, _digest(details)) for path, details in found if is_wanted(PurePosixPath(path))]

    def read(self, path: str) -> bytes:
        """See `Source.read`."""
        return self.file_system.cat_file(f"{self.root}/{path}")


def _digest(details: dict[str, Any]) -> str:
    described = sorted((name, str(value)) for name, value in details.items())
    return hashlib.sha256(repr(described).encode()).hexdigest()[:32]
