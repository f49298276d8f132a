from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.data.prepare import Preparation, prepare
from finetune.data.publish import publish
from tools.errors import InputError

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_shows_the_pictures_and_figures_of_the_report(texts_csv: Path, tmp_path: Path) -> None:
    pytest.importorskip("gguf", reason="token counts are read with the finetune extra")
    prepare(Preparation(tmp_path / "out", texts_csv))
    page = publish(tmp_path / "out", tmp_path / "docs").read_text()
    for line in page.splitlines():
        if line.startswith("!["):
            assert (tmp_path / "docs" / line.partition("](")[2].rstrip(")")).is_file()
    assert "| train | 48 |" in page


def test_a_folder_without_a_report_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run prepare first"):
        publish(tmp_path, tmp_path / "docs")


def test_the_documented_card_is_that_of_the_documented_report() -> None:
    report = json.loads((DOCS / "results" / "finetune-data.json").read_text())
    page = (DOCS / "finetune-data.md").read_text()
    assert all(sha256 in page for sha256 in report["files"].values())
    assert all(gate["passed"] for gate in report["gates"])
    assert report["difficulty"]["raw_fields"]["pr_auc"] <= 0.95
