from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tests.samples.text import ROOT, SAMPLES, normalised, sample_text
from tools.extraction.records import BUILT_IN

Kind = Literal["knowledge", "extraction", "fraud", "unknown"]


class Expectation(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    route: Kind
    facts: list[list[str]]
    document_id: str | None
    fields: dict[str, str | int | float | bool | None]
    label: Literal["FRAUD", "LEGITIMATE"] | None


class Case(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(pattern=r"^[kefu]-\d{3}$")
    kind: Kind
    turns: list[str] = Field(min_length=1)
    document: str | None
    expect: Expectation
    quick: bool


def read_cases() -> list[Case]:
    return [
        Case.model_validate_json(line)
        for path in sorted((ROOT / "eval" / "golden").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


CASES = read_cases()
KNOWLEDGE = [case for case in CASES if case.kind == "knowledge"]
EXTRACTION = [case for case in CASES if case.kind == "extraction"]


def document_texts(name: str | None) -> list[str]:
    """The texts an answer may come from: the named document's, or all documents'."""
    paths: list[Path] = [SAMPLES / "documents" / name] if name else sorted((SAMPLES / "documents").iterdir())
    return [sample_text(path) for path in paths]


def test_there_are_enough_cases_of_each_kind() -> None:
    counts = Counter(case.kind for case in CASES)
    assert len({case.id for case in CASES}) == len(CASES) >= 60
    assert counts["knowledge"] >= 40
    assert counts["extraction"] >= 12
    assert counts["fraud"] >= 10
    assert counts["unknown"] >= 20
    assert sum(len(case.turns) > 1 for case in KNOWLEDGE) >= 3


def test_the_quick_subset_covers_all_routes() -> None:
    quick = Counter(case.kind for case in CASES if case.quick)
    assert quick.total() == 32
    assert min(quick[kind] for kind in ("knowledge", "extraction", "fraud", "unknown")) >= 3


def test_cases_expect_what_their_kind_can_give() -> None:
    for case in CASES:
        assert case.expect.route == case.kind
        assert bool(case.expect.facts) == (case.kind == "knowledge"), case.id
        assert bool(case.expect.fields) == (case.kind == "extraction"), case.id
        assert all(fact and all(fact) for fact in case.expect.facts)


@pytest.mark.parametrize("case", KNOWLEDGE, ids=lambda case: case.id)
def test_the_facts_stand_in_the_document(case: Case) -> None:
    texts = document_texts(case.expect.document_id)
    for fact in case.expect.facts:
        assert any(normalised(wording) in text for wording in fact for text in texts), fact


@pytest.mark.parametrize("case", KNOWLEDGE, ids=lambda case: case.id)
def test_a_question_does_not_give_its_answer_away(case: Case) -> None:
    asked = normalised(" ".join(case.turns))
    assert not any(normalised(wording) in asked for fact in case.expect.facts for wording in fact)


@pytest.mark.parametrize("case", EXTRACTION, ids=lambda case: case.id)
def test_extraction_expects_fields_of_one_schema(case: Case) -> None:
    assert case.document is None or (ROOT / case.document).is_file()
    assert any(case.expect.fields.keys() <= record.model_fields.keys() for record in BUILT_IN.values())
