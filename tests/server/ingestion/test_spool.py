"""Bytes of uploads on disk: whole or not there, and none left over."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.ingestion.spool import Spool, StorageError
from tools.errors import DocumentError


def test_an_upload_comes_back_until_it_is_discarded(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "uploads")
    spool.keep("a", b"first")
    spool.keep("b", b"second")
    spool.discard("a")
    spool.discard("a")
    spool.discard(None)
    assert spool.read("b") == b"second"
    assert [path.name for path in (tmp_path / "uploads").iterdir()] == ["b"]


@pytest.mark.parametrize("upload_id", ["never", None])
def test_an_upload_that_is_not_kept_says_so(tmp_path: Path, upload_id: str | None) -> None:
    with pytest.raises(DocumentError) as caught:
        Spool(tmp_path).read(upload_id)
    assert caught.value.code == "source_missing"


def test_a_sweep_removes_what_no_row_needs_and_what_was_cut_off(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.keep("wanted", b"x")
    spool.keep("orphan", b"x")
    (tmp_path / "cut.partial").write_bytes(b"x")
    assert spool.sweep(["wanted", "gone"]) == 2
    assert spool.read("wanted") == b"x"
    assert Spool(tmp_path / "never made").sweep([]) == 0


def test_a_disk_that_takes_nothing_is_a_coded_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        Spool(tmp_path / "file").keep("a", b"x")
    assert caught.value.code == "storage_failed"
