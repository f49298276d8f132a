from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.cases import REPOSITORY, digest, load_cases
from tools.errors import InputError


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    lines = [json.dumps(row) for row in rows]
    (folder / "cases.jsonl").write_text("\n".join([*lines, "", ""]), encoding="utf-8")
    return folder


def row(case_id: str = "k-1", **fields: Any) -> dict[str, Any]:
    return {"id": case_id, "kind": "knowledge", "turns": ["How long?"], "expect": {"route": "knowledge"}, **fields}


def test_the_repository_has_golden_cases_of_every_kind_and_a_quick_subset() -> None:
    cases, quick = load_cases(), load_cases(quick=True)
    assert (
        {case.kind for case in cases}
        == {case.kind for case in quick}
        == {"knowledge", "extraction", "fraud", "unknown"}
    )
    assert 40 <= len(quick) + 24 <= len(cases)
    assert all(case.document_path is None or case.document_path.is_file() for case in cases)


def test_documents_lie_below_the_repository(tmp_path: Path) -> None:
    [case] = load_cases(write(tmp_path, row(document="samples/README.md")))
    assert case.document_path == REPOSITORY / "samples" / "README.md"


def test_the_digest_follows_what_is_asked(tmp_path: Path) -> None:
    before = digest(load_cases(write(tmp_path, row())))
    assert digest(load_cases(write(tmp_path, row()))) == before
    assert digest(load_cases(write(tmp_path, row(turns=["How short?"])))) != before


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(answer="90 days")], "line 1: answer"),
        ([row(), row("k-2", kind="wisdom")], "line 2: kind"),
        ([row(turns=[])], "turns"),
        ([row(), row()], "are called 'k-1'"),
    ],
)
def test_a_bad_case_is_named(tmp_path: Path, rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        load_cases(write(tmp_path, *rows))
    assert error.value.code == "invalid_golden_case"


def test_an_empty_folder_and_an_empty_quick_subset_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no golden cases"):
        load_cases(tmp_path)
    with pytest.raises(InputError, match="no golden cases"):
        load_cases(write(tmp_path, row(quick=False)), quick=True)
