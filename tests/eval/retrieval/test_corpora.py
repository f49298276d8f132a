"""Questions with the places of their answers: the samples', public sets', and one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.retrieval.corpora import Question, own, reading, samples
from tools.errors import InputError

PASSAGE = "The harbour opened in 1820. It closed in 1931 after the flood. The new one opened in 1940."


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def article(question: str, answer: str | None, passage: str = PASSAGE) -> dict[str, Any]:
    answers = [answer] if answer else []
    return {
        "title": "Old_harbour",
        "passage": passage,
        "question": question,
        "answerable": bool(answer),
        "answers": answers,
    }


def test_every_sample_question_has_its_facts_in_its_document() -> None:
    corpus = samples()
    assert len(corpus.questions) >= 30
    for question in corpus.questions:
        assert question.answered_by(question.document_id, corpus.documents[question.document_id].text), question.text


def test_an_answer_counts_in_its_document_only_and_in_any_of_its_wordings() -> None:
    question = Question("How long?", "a.md", (("60 days", "sixty days"),))
    assert question.answered_by("a.md", "They have Sixty\n days.")
    assert not question.answered_by("b.md", "They have sixty days.")
    assert not question.answered_by("a.md", "They have ninety days.")


def test_paragraphs_are_documents_and_unanswerable_questions_are_left_out(tmp_path: Path) -> None:
    write(
        tmp_path / "reading_squad2.jsonl",
        article("When did it open?", "1820"),
        article("Who built it?", None),
        article("When did the second open?", "1940", "Another was opened in 1940."),
    )
    few, by_paragraph, whole = reading(tmp_path)
    assert few.documents == by_paragraph.documents
    assert len(by_paragraph.documents) == 2
    assert [question.document_id for question in by_paragraph.questions] == ["Old harbour 1", "Old harbour 2"]
    assert list(whole.documents) == ["Old harbour"]
    first, second = whole.questions
    assert first.answered_by("Old harbour", "The harbour opened in 1820. It closed")
    assert not first.answered_by("Old harbour", "A fire of 1820 burnt the town.")
    assert second.answered_by("Old harbour", "Another was opened in 1940.")


def test_one_s_own_documents(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "harbour.txt").write_text(PASSAGE, encoding="utf-8")
    asked = {"question": "When did it close?", "document_id": "harbour.txt", "answers": ["1931"]}
    corpus = own(folder, write(tmp_path / "questions.jsonl", asked))
    assert corpus.questions[0].answered_by("harbour.txt", PASSAGE)


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ('{"question": "When?", "document_id": "missing.txt"}', "invalid_question", "line 1: there is no file"),
        ('{"question": "", "document_id": "harbour.txt"}', "invalid_question", "line 1: question"),
        ("not json", "invalid_question", "line 1"),
        ("", "no_questions", "holds no questions"),
    ],
)
def test_questions_that_do_not_fit_are_named(tmp_path: Path, line: str, code: str, told: str) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "harbour.txt").write_text(PASSAGE, encoding="utf-8")
    questions = tmp_path / "questions.jsonl"
    questions.write_text(line, encoding="utf-8")
    with pytest.raises(InputError, match=told) as caught:
        own(folder, questions)
    assert caught.value.code == code


def test_a_folder_without_reading_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        list(reading(tmp_path))
    assert caught.value.code == "no_questions"
