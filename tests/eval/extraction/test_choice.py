from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from eval.extraction.articles import read_articles
from eval.extraction.choice import ASKED, NONE, Case, cases, measure
from eval.extraction.fit_choice import fit
from tests.eval.extraction.test_study import receipts
from tools.errors import InputError


def articles(path: Path) -> Path:
    rows = [{"title": title, "passage": f"{title} is a place by the sea, part {number}."}
            for title in ("Alder", "Birch", "Cedar", "Dogwood") for number in range(8)]  # fmt: skip
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


def test_articles_are_halved_by_title_and_come_in_three_lengths(tmp_path: Path) -> None:
    file = articles(tmp_path / "articles.jsonl")
    halves = [list(read_articles(file, half)) for half in ("develop", "report")]
    titles = [{title for title, _ in half} for half in halves]
    assert not titles[0] & titles[1]
    assert titles[0] | titles[1] == {"Alder", "Birch", "Cedar", "Dogwood"}
    for half, names in zip(halves, titles, strict=True):
        assert len(half) == len(names) * (8 + 2 + 1)


def test_a_file_of_articles_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        list(read_articles(tmp_path / "missing.jsonl", "report"))
    (tmp_path / "wrong.jsonl").write_text('{"title": "A"}\n')
    with pytest.raises(InputError, match="line 1"):
        list(read_articles(tmp_path / "wrong.jsonl", "report"))


def test_cases_come_from_every_corpus_of_their_half(tmp_path: Path) -> None:
    slips = receipts(tmp_path / "receipts.jsonl", "ACME", "BETA", "GAMMA")
    found = list(cases("report", 10, 3, slips, [articles(tmp_path / "articles.jsonl")]))
    assert {one.corpus for one in found} == {
        "held-out documents", "held-out documents in unusual layouts", "receipts", "articles and policies",
    }  # fmt: skip
    assert {one.kind for one in found if one.corpus == "articles and policies"} == {None}
    assert all(one.corpus.startswith(("train", "receipts")) for one in cases("develop", 10, 3, slips, []))


def test_the_confusion_table_counts_right_wrong_and_asked() -> None:
    documents = [Case("papers", "receipt", text, text) for text in "abcd"] + [Case("papers", None, "e", "e")]
    answers = {"a": "receipt", "b": "receipt", "c": "invoice", "d": None, "e": None}
    pasted, attached = measure(documents, lambda message, text: answers[text or message.splitlines()[-1]])
    assert pasted["table"] == {NONE: {ASKED: 1}, "receipt": {ASKED: 1, "invoice": 1, "receipt": 2}}
    assert [pasted[name]["value"] for name in ("right", "wrong", "asked")] == [0.6, 0.2, 0.2]
    assert attached["table"] == pasted["table"]


def test_fitted_thresholds_leave_articles_alone_and_take_receipts() -> None:
    slip = "SHOP\nReceipt 1\n12:30 CASHIER 4\nTea 2.00\nCake 3.00\nTOTAL 5.00\nCASH 10.00\nCHANGE 5.00\nTHANK YOU"
    found = fit([Case("slips", "receipt", slip, "a"), Case("articles", None, "Thank you, said the cashier.", "b")])
    assert found.winner({"receipt": 20.0, "invoice": 0.0}) == "receipt"
    assert found.winner({"receipt": 0.5, "invoice": 0.0}) is None
