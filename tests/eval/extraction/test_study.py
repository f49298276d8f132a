from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from eval.extraction.generator import generate
from eval.extraction.page import extraction_page
from eval.extraction.receipts import read_receipts
from eval.extraction.study import calibration, judge, misses, row
from eval.extraction.systems import Extractor, NoModel, PlainRegex, stands
from tests.tools.extraction.models import LastOptionModel
from tools.errors import InputError
from tools.extraction import Evidence, ExtractedValue

READERS = Extractor("readers", NoModel())


def unheard(what: str, done: int, total: int) -> None:
    """Nobody follows."""


async def test_readers_beat_the_regular_expressions_and_make_nothing_up() -> None:
    documents = list(generate("held_out", 100, 11))
    simple = row("documents", "plain regex", await judge(PlainRegex(), documents, unheard))
    ours = row("documents", "readers", await judge(READERS, documents, unheard))
    assert ours["f1"]["value"] > 0.9 > simple["f1"]["value"]
    assert ours["schema_valid"]["value"] == 1
    assert ours["not_in_source"] == 0
    assert ours["made_up_rate"] < 0.02
    assert {field["field"] for field in ours["fields"]} >= {"governing_law", "parties[].name", "line_items[].amount"}


async def test_a_model_fills_what_readers_leave_open_and_stays_in_the_source() -> None:
    documents = list(generate("train", 10, 12))
    judged = await judge(Extractor("product", LastOptionModel(text="Nowhere To Be Found")), documents, unheard)
    assert sum(one.reading.unlocated for one in judged) == 0


async def test_misses_name_document_gold_and_reading() -> None:
    documents = list(generate("held_out", 5, 13))
    judged = await judge(PlainRegex(), documents, unheard)
    path = next(path for one in judged for path, counts in one.counts.items() if counts.missed)
    assert misses(judged, path)[0].keys() == {"document", "gold", "read"}


async def test_calibration_compares_stated_with_right() -> None:
    judged = await judge(READERS, list(generate("train", 40, 14)), unheard)
    found = calibration(judged)
    assert found is not None
    assert sum(point["n"] for point in found["curve"]) == found["n"]
    assert 0 <= found["ece"] <= 1
    assert calibration(await judge(PlainRegex(), list(generate("train", 2, 14)), unheard)) is None


@pytest.mark.parametrize(
    ("value", "good"),
    [
        (ExtractedValue("Acme Ltd", Evidence(0, 8, "Acme Ltd")), True),
        (ExtractedValue("Beta Ltd", Evidence(0, 8, "Acme Ltd")), False),
        (ExtractedValue("Acme Ltd", Evidence(1, 9, "Acme Ltd")), False),
        (ExtractedValue("2026-03-04", Evidence(9, 20, "4 March 2026"[:11])), True),
        (ExtractedValue("Acme Ltd"), False),
        (ExtractedValue(None), True),
    ],
)
def test_a_value_stands_where_its_evidence_says(value: ExtractedValue, good: bool) -> None:
    assert stands(value, "Acme Ltd 4 March 2026") is good


def receipts(path: Path, *companies: str) -> Path:
    rows = [
        {"id": number, "text": f"{name}\n03/04/2018\n25/12/2018\nTOTAL 9.00",
         "gold": {"company": name, "date": "03/04/2018", "address": "1 Hill Road", "total": "RM9.00"}}
        for number, name in enumerate(companies)
    ]  # fmt: skip
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


def test_receipts_are_halved_by_id_and_unseen_companies_are_told(tmp_path: Path) -> None:
    file = receipts(tmp_path / "receipts.jsonl", "ACME", "ACME", "BETA", "GAMMA")
    assert [one.id for one in read_receipts(file, "develop")] == ["receipt-0", "receipt-2"]
    assert [one.id for one in read_receipts(file, "report")] == ["receipt-1", "receipt-3"]
    (unseen,) = read_receipts(file, "unseen")
    assert unseen.group == "gamma"
    assert unseen.gold == {"company": "GAMMA", "date": "2018-04-03", "address": "1 Hill Road", "total": 9.0}


def test_a_receipts_file_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        list(read_receipts(tmp_path / "missing.jsonl", "report"))
    (tmp_path / "wrong.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(InputError, match="line 1"):
        list(read_receipts(tmp_path / "wrong.jsonl", "report"))


async def test_the_page_shows_every_corpus_and_field() -> None:
    documents = list(generate("held_out", 10, 15))
    rows = [row("held-out documents", s.name, await judge(s, documents, unheard)) for s in (PlainRegex(), READERS)]
    page = extraction_page(rows, source="docs/results/extraction.json", picture="images/extraction.png")
    assert "## Held-out documents" in page
    assert "contract.governing_law" in page
    assert f"{rows[1]['f1']['value']:.3f}" in page
