"""What fits into a budget of tokens, with the real models and store, and the committed page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.retrieval.budgets import BUDGETS, ORDERS, PAGE, RESULT, budget_page, draw, measure_budgets
from eval.retrieval.corpora import Corpus, Question
from eval.retrieval.study import Setup
from tools.knowledge.documents import Page, ParsedDocument

FILLER = "Ships carried wool, salt and timber from the river to the towns of the coast in every season. " * 8


@pytest.fixture(scope="module")
def rows(pytestconfig: pytest.Config) -> list[dict[str, Any]]:
    """One document whose second chunk answers; each of the two is larger than the smallest budget."""
    text = f"The harbour pilot and the harbour pilot's house: {FILLER}\n\nHe was called Anselm Quick. {FILLER}"
    documents = {"harbour": ParsedDocument("harbour", [Page(text)], "text/plain")}
    questions = [
        Question("What is the name of the harbour pilot?", "harbour", (("Anselm Quick",),)),
        Question("Who paints the bridge?", "harbour", (("nobody wrote this",),)),
    ]
    setup = Setup.load(Path(pytestconfig.cache.mkdir("switchyard")))
    return measure_budgets(setup, Corpus("town", documents, questions))


def test_every_budget_is_filled_in_every_order(rows: list[dict[str, Any]]) -> None:
    assert [(row["budget"], row["order"]) for row in rows] == [(one, order) for one in BUDGETS for order in ORDERS]
    assert all(row["tokens"] <= row["budget"] for row in rows)
    assert {row["questions"] for row in rows} == {2}


def test_enough_tokens_hold_the_answer_that_is_there(rows: list[dict[str, Any]]) -> None:
    for order in ORDERS:
        shares = [row["contained"]["value"] for row in rows if row["order"] == order]
        assert (shares[0], shares[-1]) == (0, 0.5)


def test_the_page_is_that_of_the_stored_result(tmp_path: Path) -> None:
    stored = json.loads(RESULT.read_text("utf-8"))
    assert budget_page(stored["rows"], stored["machine"]) == PAGE.read_text("utf-8")
    draw(stored["rows"], tmp_path / "again.png")
    assert (tmp_path / "again.png").stat().st_size > 0
