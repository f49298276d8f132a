from __future__ import annotations

import orjson

from eval.cases import REPOSITORY
from eval.extraction.page import extraction_page


def test_the_page_is_the_stored_result() -> None:
    stored = orjson.loads((REPOSITORY / "docs/results/extraction.json").read_bytes())
    page = extraction_page(stored["rows"], source="docs/results/extraction.json", picture="images/extraction.png")
    assert page == (REPOSITORY / "docs/extraction-results.md").read_text("utf-8")
