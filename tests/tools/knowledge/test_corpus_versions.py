from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tools.knowledge.corpus_versions import CorpusVersions


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "corpus-versions.json"


def test_a_version_changes_with_every_write_and_never_comes_back(file: Path) -> None:
    versions = CorpusVersions(file)
    seen = [versions.current("a")]
    for _ in range(5):
        versions.renew("a")
        seen.append(versions.current("a"))
    assert len(set(seen)) == len(seen)


def test_versions_survive_a_restart(file: Path) -> None:
    before = CorpusVersions(file)
    before.renew("ann/default")
    before.renew("bob/default")
    after = CorpusVersions(file)
    for collection in ("ann/default", "bob/default"):
        assert after.current(collection) == before.current(collection)
    after.renew("ann/default")
    assert CorpusVersions(file).current("bob/default") == before.current("bob/default")


def test_a_version_that_is_not_known_is_of_this_process_alone(file: Path) -> None:
    versions = CorpusVersions(file)
    assert versions.current("a") == versions.current("a")
    assert CorpusVersions(file).current("a") != versions.current("a")
    assert not file.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}'])
def test_a_broken_file_makes_every_version_new(file: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    CorpusVersions(file).renew("a")
    before = CorpusVersions(file).current("a")
    file.write_text(content)
    with caplog.at_level(logging.WARNING):
        after = CorpusVersions(file)
    assert after.current("a") != before
    assert str(file) in caplog.text
    after.renew("a")
    assert CorpusVersions(file).current("a") == after.current("a")


def test_a_version_that_cannot_be_kept_is_not_exchanged(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the folder's place")
    blocked = CorpusVersions(tmp_path / "data" / "versions.json")
    before = blocked.current("a")
    with pytest.raises(OSError, match="data"):
        blocked.renew("a")
    assert blocked.current("a") == before
