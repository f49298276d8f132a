"""The documents that were put down by hand: usable, and none that the product is judged on."""

from __future__ import annotations

from collections import Counter

from eval.samples import SAMPLE_DOCUMENTS
from finetune.data.duplicates import find_duplicates
from finetune.reader.rows import held_out_titles
from finetune.reader.written import written_rows
from tools.knowledge.load import parse_file


def test_every_answer_stands_in_its_passage() -> None:
    rows = written_rows()
    assert [row for row in rows if row.answerable and row.answers[0] not in row.passage] == []
    assert Counter(row.answerable for row in rows)[False] > 400


def test_no_question_is_asked_twice_of_a_document() -> None:
    asked = Counter((row.title, row.question) for row in written_rows())
    assert [question for question, count in asked.items() if count > 1] == []


def test_some_documents_are_held_out() -> None:
    titles = {row.title for row in written_rows()}
    assert 0.2 < len(held_out_titles(written_rows())) / len(titles) < 0.3


def test_no_passage_is_one_of_the_sample_documents() -> None:
    passages = list(dict.fromkeys(row.passage for row in written_rows()))
    samples = [
        paragraph
        for path in sorted(SAMPLE_DOCUMENTS.iterdir())
        for paragraph in parse_file(path.read_bytes(), path.name).text.split("\n\n")
    ]
    assert find_duplicates(passages, samples) == []
