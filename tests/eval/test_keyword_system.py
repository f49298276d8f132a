from __future__ import annotations

from pathlib import Path

import pytest

from eval.keyword_system import KeywordSystem
from eval.metrics import citation_problem
from eval.runner import read_result

POLICY = """# Disputes

Debit card purchases can be disputed within 90 days of the booking.
Prepaid card purchases can be disputed within 60 days of the booking.
"""
FEES = """# Fees

A replacement card costs 12 EUR when the customer lost it.
"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> KeywordSystem:
    folder = tmp_path_factory.mktemp("documents")
    (folder / "disputes.md").write_text(POLICY)
    (folder / "fees.md").write_text(FEES)
    return KeywordSystem(sorted(folder.iterdir()))


@pytest.mark.parametrize(
    ("message", "route"),
    [
        ("Extract the fields of this invoice", "extraction"),
        ("How suspicious is this payment?", "fraud"),
        ('{"amount": 5.0}', "fraud"),
        ("Will it rain tomorrow?", "unknown"),
        ("Within how many days can prepaid purchases be disputed?", "knowledge"),
    ],
)
async def test_keywords_choose_the_route(system: KeywordSystem, message: str, route: str) -> None:
    assert (await system.ask([message], None))["route"] == route


async def test_an_attached_document_is_extracted(system: KeywordSystem, tmp_path: Path) -> None:
    assert (await system.ask(["Here you are"], tmp_path / "invoice.txt"))["route"] == "extraction"


async def test_the_best_sentence_answers_and_is_cited_verbatim(system: KeywordSystem) -> None:
    answered = read_result(await system.ask(["Within how many days can prepaid purchases be disputed?"], None))
    assert "60 days" in answered.answer
    [citation] = answered.citations
    documents = {citation.document_id: await system.document_text(citation.document_id)}
    assert citation_problem(answered, documents) is None
    assert await system.passages("replacement card lost") == [("fees.md", FEES.splitlines()[2])]
    assert await system.document_text("gone.md") is None
