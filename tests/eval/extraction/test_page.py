from __future__ import annotations

import orjson
import pytest

from eval.cases import REPOSITORY
from eval.extraction.choice_page import choice_page
from eval.extraction.page import extraction_page, standing

RESULTS = REPOSITORY / "docs" / "results"


def test_the_page_is_the_stored_result() -> None:
    stored = orjson.loads((RESULTS / "extraction.json").read_bytes())
    page = extraction_page(
        stored["rows"], source="docs/results/extraction.json", picture="images/extraction.png",
        latency=stored["latency"],
    )  # fmt: skip
    assert page == (REPOSITORY / "docs/extraction-results.md").read_text("utf-8")


def test_the_page_of_choices_is_the_stored_result() -> None:
    stored, before = (
        orjson.loads((RESULTS / f"{name}.json").read_bytes()) for name in ("schema-choice", "schema-choice-before")
    )
    page = choice_page(stored["rows"], before["rows"], source="docs/results/schema-choice.json")
    assert page == (REPOSITORY / "docs/schema-choice.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("baseline", "readers", "told"),
    [(0.4, 0.9, "beaten"), (1.0, 1.0, "both 1.000"), (0.97, 0.9702, "tie"), (0.98, 0.97, "not beaten")],
)
def test_how_readers_stand_to_the_baseline(baseline: float, readers: float, told: str) -> None:
    assert standing(baseline, readers) == told
