from __future__ import annotations

from eval.extraction.study import judge
from eval.extraction.systems import Extractor, NoModel
from eval.extraction.wordings import wordings


async def test_the_wordings_that_were_developed_with_are_read() -> None:
    documents = list(wordings("train"))
    judged = await judge(Extractor("readers", NoModel()), documents, lambda what, done, total: None)
    counts = [one for document in judged for one in document.counts.values()]
    assert sum(one.made_up for one in counts) == 0
    assert sum(one.wrong for one in counts) == 0
    # A place behind a comma, notice in a sentence without the word, a price that is not called a total, a currency's
    # sign that is a letter, and a German contract's start and notice.
    assert sum(one.missed for one in counts) <= 7


def test_the_sides_share_no_text() -> None:
    developed, held = ({one.text for one in wordings(side)} for side in ("train", "held_out"))
    assert min(len(developed), len(held)) > 100
    assert not developed & held
