"""`switchyard ingest --sync` against a running server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import fsspec  # pyright: ignore[reportMissingTypeStubs]
import pytest
from typer.testing import CliRunner

from server.cli.main import app
from tests.server.cli.conftest import Invoke

pytestmark = pytest.mark.model


def passages(served: Invoke, collection: str) -> list[str]:
    found = json.loads(served("search", "card limit euros", "--collection", collection, "--json").stdout)["results"]
    return sorted(passage["text"] for passage in found)


def test_a_folder_is_followed(served: Invoke, tmp_path: Path) -> None:
    fees, limits, torn = tmp_path / "fees.md", tmp_path / "limits.md", tmp_path / "torn.pdf"
    fees.write_text("A card costs ten euros.")
    limits.write_text("The limit is 500 euros.")
    torn.write_bytes(b"%PDF-1.7 nothing more")
    sync = ("ingest", "--sync", str(tmp_path), "--collection", "followed")

    first = served(*sync)
    assert first.exit_code == 1
    assert "2 indexed (2 chunks), 1 failed." in first.stdout

    second = served(*sync)
    assert second.exit_code == 0, second.output
    assert "0 indexed (0 chunks), 0 failed." in second.stdout
    assert "2 unchanged, 0 gone, 1 failed before (switchyard failed)." in second.stdout

    fees.write_text("A card costs twelve euros.")
    limits.unlink()
    third = served(*sync)
    assert "1 indexed (1 chunks), 0 failed." in third.stdout
    assert "1 gone (kept; --delete removes their documents)" in third.stdout
    assert passages(served, "followed") == ["A card costs twelve euros.", "The limit is 500 euros."]

    fourth = served(*sync, "--delete")
    assert "- limits.md" in fourth.stdout
    assert passages(served, "followed") == ["A card costs twelve euros."]


def test_backfill_reads_everything_again(served: Invoke, tmp_path: Path) -> None:
    (tmp_path / "rules.md").write_text("## Fees\n\nA card costs ten euros.\n\n## Limits\n\nThe limit is 500 euros.")
    sync = ("ingest", "--sync", str(tmp_path), "--collection", "backfilled")
    served(*sync)
    assert "1 indexed" in served(*sync, "--backfill", "--chunking", "fixed").stdout
    assert len(passages(served, "backfilled")) == 1


def test_the_collection_is_checked_afterwards(served: Invoke, tmp_path: Path) -> None:
    (tmp_path / "probes.txt").write_text("What does a card cost?\n\n")
    (tmp_path / "fees.md").write_text("A card costs ten euros, and it is paid in advance.")
    (tmp_path / "copy.md").write_text("A card costs ten euros, and it is paid in advance.")
    ingest = ("ingest", str(tmp_path), "--collection", "checked", "--probes", str(tmp_path / "probes.txt"))
    first = served(*ingest).stdout
    assert "Collection: 3 documents, 3 chunks, 33% duplicates, 0 of 1 probe queries find the same documents." in first
    assert "! 33% of the documents repeat the text of another." in first
    assert "1 of 1 probe queries find the same documents." in served(*ingest).stdout


def test_a_folder_that_lost_everything_changes_nothing(served: Invoke, tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "fees.md").write_text("A card costs ten euros.")
    sync = ("ingest", "--sync", str(folder), "--collection", "unmounted", "--delete")
    served(*sync)
    shutil.rmtree(folder)
    folder.mkdir()
    result = served(*sync)
    assert result.exit_code == 1
    assert "1 documents came from it. Nothing was changed." in result.stderr
    assert passages(served, "unmounted") == ["A card costs ten euros."]


def test_a_bucket_is_followed(served: Invoke) -> None:
    bucket = fsspec.filesystem("memory")
    bucket.pipe("/rules/fees.md", b"A card costs ten euros.")
    sync = ("ingest", "--sync", "memory://rules", "--collection", "bucket")
    assert "1 indexed (1 chunks), 0 failed." in served(*sync).stdout
    assert "1 unchanged, 0 gone." in served(*sync).stdout
    bucket.store.clear()


@pytest.mark.parametrize(
    "arguments",
    [[], ["--delete", "x.md"], ["--sync", "a", "x.md"], ["--chunking", "magic", "."]],
)
def test_wrong_arguments_are_refused(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.md").write_text("x")
    assert CliRunner().invoke(app, ["ingest", *arguments]).exit_code == 2


def test_an_unknown_folder_is_one_clear_line(served: Invoke) -> None:
    result = served("ingest", "--sync", "no/such/folder")
    assert result.exit_code == 1
    assert result.stderr == "switchyard: There is no folder 'no/such/folder'.\n"
