"""Folders and buckets list the same files with revisions that follow changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec  # pyright: ignore[reportMissingTypeStubs]
import pytest

from server.cli.sources import Source, open_source
from tools.errors import InputError

FILES = {
    "fees.md": b"A card costs ten euros.",
    "sub/limits.txt": b"The limit is 500 euros.",
    "sub/photo.png": b"\x89PNG",
    ".hidden.md": b"hidden",
    ".git/config.md": b"hidden",
}
Write = Callable[[str, bytes], None]


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Source, Write]]:
    """A source and a way to write into it."""
    if request.param == "folder":

        def write(path: str, content: bytes) -> None:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content)

        name = str(tmp_path)
    else:
        bucket = fsspec.filesystem("memory")
        name = "memory://bucket/policies/"

        def write(path: str, content: bytes) -> None:
            bucket.pipe(f"/bucket/policies/{path}", content)

    for path, content in FILES.items():
        write(path, content)
    yield open_source(name), write
    fsspec.filesystem("memory").store.clear()


def test_files_of_known_kinds_that_are_not_hidden(place: tuple[Source, Write]) -> None:
    source, _ = place
    assert [file.path for file in source.files()] == ["fees.md", "sub/limits.txt"]
    assert source.read("sub/limits.txt") == FILES["sub/limits.txt"]


def test_a_revision_changes_with_the_file_alone(place: tuple[Source, Write]) -> None:
    source, write = place
    before = {file.path: file.revision for file in source.files()}
    assert {file.path: file.revision for file in source.files()} == before
    write("fees.md", b"A card costs twelve euros.")
    after = {file.path: file.revision for file in source.files()}
    assert {path for path in after if after[path] != before[path]} == {"fees.md"}


def test_a_file_that_is_gone_cannot_be_read(place: tuple[Source, Write]) -> None:
    source, _ = place
    with pytest.raises(OSError, match=r"gone\.md"):
        source.read("gone.md")


def test_a_folder_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policies").mkdir()
    monkeypatch.chdir(tmp_path)
    assert open_source("policies").name == open_source(str(tmp_path / "policies")).name
    assert open_source(f"..{os.sep}{tmp_path.name}/policies/").name == open_source("policies").name


@pytest.mark.parametrize("place_name", ["no/such/folder", "nonsense://bucket"])
def test_what_cannot_be_opened_says_so(place_name: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(place_name)
    assert caught.value.code == "unknown_source"
