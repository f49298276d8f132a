from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import orjson
import pytest

from eval.cases import REPOSITORY
from eval.extraction.free_fields.cases import BUILT_IN, NOTES, RECEIPTS, FieldCase, field_cases, receipt_cases
from eval.extraction.free_fields.page import field_page
from eval.extraction.free_fields.study import PRODUCTS, adapter_wins, field_systems, measure
from tools.ports import ChatRequest, Completion, Usage


class Oracle:
    """Knows every case's answers."""

    name, supports_grammar, adapter = "oracle", True, None

    def __init__(self, cases: list[FieldCase]) -> None:
        self._gold = {path: gold for case in cases for path, gold in case.document.gold.items()}
        assert len(cases) == 1

    async def complete(self, request: ChatRequest) -> Completion:
        assert request.json_schema is not None
        answers = {path: self._gold[path] for path in request.json_schema["properties"]}
        return Completion(json.dumps(answers), self.name, Usage(10, 5))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | Completion]:
        yield await self.complete(request)


class Denier(Oracle):
    """Says null to everything."""

    async def complete(self, request: ChatRequest) -> Completion:
        assert request.json_schema is not None
        return Completion(json.dumps(dict.fromkeys(request.json_schema["properties"])), self.name, Usage(10, 5))


def unheard(what: str, done: int, total: int) -> None:
    """Nobody follows."""


async def test_an_oracle_is_right_and_a_denier_makes_nothing_up() -> None:
    wanted = next(case for case in field_cases("held_out", 20, 5) if any(case.document.gold.values()))
    rows = await measure(field_systems(Denier([wanted]), Oracle([wanted])), [wanted], unheard)
    found = {row["system"]: row for row in rows}
    assert found["adapter alone"]["f1"]["value"] == 1
    assert found["readers, adapter for all the rest"]["f1"]["value"] == 1
    assert found["base model alone"]["f1"]["value"] == 0
    assert found["base model alone"]["made_up"] == 0


def test_cases_are_of_both_kinds_of_documents_with_fields_that_are_missing() -> None:
    cases = list(field_cases("held_out", 40, 5))
    assert {case.corpus for case in cases} == {BUILT_IN, NOTES}
    golds = [value for case in cases for value in case.document.gold.values()]
    assert 0.2 < golds.count(None) / len(golds) < 0.5
    assert all(case.schema["properties"].keys() == case.document.gold.keys() for case in cases)


def test_receipts_of_unseen_companies_are_asked_under_other_names(tmp_path: Path) -> None:
    lines = [
        {"id": number, "text": f"{name}\n1 Quay Road, Tema\nTotal 4.00",
         "gold": {"company": name, "address": "1 Quay Road, Tema", "total": "4.00"}}
        for number, name in ((1, "Kofi Minimart"), (2, "Ama Bakery"), (3, "Ama Bakery"))
    ]  # fmt: skip
    file = tmp_path / "receipts.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    [case] = receipt_cases(file, "held_out", 10, 1)
    assert case.corpus == RECEIPTS
    assert case.document.id == "receipt-1"
    assert set(case.document.gold.values()) == {"Kofi Minimart", "1 Quay Road, Tema", None}
    assert not {"company", "address"} & case.document.gold.keys()


def figures(system: str, value: float, made_up: float) -> dict[str, Any]:
    interval = {"value": value, "low": value - 0.05, "high": value + 0.05}
    return {"corpus": "notes", "system": system, "f1": interval, "made_up_rate": made_up}


@pytest.mark.parametrize(("f1", "made_up", "wins"), [(0.5, 0.1, True), (0.44, 0.1, False), (0.5, 0.3, False)])
def test_an_adapter_wins_beyond_the_interval_and_without_making_more_up(f1: float, made_up: float, wins: bool) -> None:
    rows = [figures(PRODUCTS[0], 0.4, 0.2), figures(PRODUCTS[1], f1, made_up)]
    assert adapter_wins(rows) is wins
    assert not adapter_wins(rows[:1])


def test_the_page_is_the_stored_results() -> None:
    source = "docs/results/extraction-adapter.json"
    page = field_page(orjson.loads((REPOSITORY / source).read_bytes()), source=source)
    assert page == (REPOSITORY / "docs/extraction-adapter.md").read_text("utf-8")
