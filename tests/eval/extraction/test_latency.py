from __future__ import annotations

from eval.extraction.latency import long_contracts, measure_latency
from eval.extraction.systems import NoModel
from tools.knowledge.documents import PAGE_BREAK


def test_a_long_contract_has_ten_full_pages() -> None:
    (contract,) = long_contracts(1)
    pages = contract.split(PAGE_BREAK)
    assert len(pages) >= 10
    assert len(contract) > 25_000


async def test_seconds_are_measured_for_both_documents() -> None:
    found = await measure_latency(NoModel(), 1)
    assert [row["what"] for row in found["rows"]] == ["one-page receipt", "contract of ten pages"]
    assert all(0 < row["p50_s"] <= row["max_s"] for row in found["rows"])
    assert all(row["asked"] == 0 for row in found["rows"])
