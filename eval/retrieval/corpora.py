"""Documents with questions whose answering place is known."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.cases import load_cases
from eval.samples import SAMPLE_DOCUMENTS
from tools.errors import DocumentError, InputError
from tools.knowledge.documents import Page, ParsedDocument
from tools.knowledge.load import parse_file

ARTICLES, POLICIES = "reading_squad2.jsonl", "reading_policyqa.jsonl"
_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_CHARACTERS_AROUND = 12
_FEW_HUNDRED = 300
_SEED = 4


@dataclass(frozen=True)
class Question:
    """A question with where its answer stands: in a chunk of `document_id` that holds one wording of each fact.

    Without facts any chunk of the document answers. `within` names the documents that are searched, all where empty.
    """

    text: str
    document_id: str
    facts: tuple[tuple[str, ...], ...] = ()
    within: tuple[str, ...] = ()

    def answered_by(self, document_id: str, text: str) -> bool:
        """Whether a chunk of a document holds the answer."""
        if document_id != self.document_id:
            return False
        text = _plain(text)
        return all(any(_plain(wording) in text for wording in wordings) for wordings in self.facts)


@dataclass(frozen=True)
class Paragraph:
    """A paragraph under the title of its article."""

    title: str
    text: str


@dataclass(frozen=True)
class Corpus:
    """Documents by id, and questions about them. `is_cut` says whether documents are longer than a chunk."""

    name: str
    documents: Mapping[str, ParsedDocument]
    questions: Sequence[Question]
    is_cut: bool = True

    def sampled(self, most: int) -> Corpus:
        """At most so many of the questions: the same ones each time."""
        if len(self.questions) <= most:
            return self
        return replace(self, questions=random.Random(_SEED).sample(list(self.questions), most))


class _Row(BaseModel):
    """A line of a file of questions."""

    model_config = ConfigDict(extra="ignore")

    question: Annotated[str, Field(min_length=1)]
    document_id: Annotated[str, Field(min_length=1)]
    answers: list[str] = Field(default_factory=list[str])


def samples() -> Corpus:
    """The sample documents, with the golden questions that stand alone."""
    documents = {file.name: parse_file(file.read_bytes(), file.name) for file in sorted(SAMPLE_DOCUMENTS.iterdir())}
    questions = [
        Question(case.turns[0], case.expect.document_id, tuple(map(tuple, case.expect.facts)))
        for case in load_cases()
        if case.kind == "knowledge" and len(case.turns) == 1 and case.expect.document_id in documents
    ]
    return Corpus("samples", documents, questions)


def reading(folder: Path) -> Iterator[Corpus]:
    """Corpora from the reading sets in a folder: paragraphs as documents of their own, and whole articles.

    Questions about policies only make sense over one site's policy, so each is asked within its own; among articles,
    policies are passages that answer nothing.

    Raises:
        InputError: the folder holds none of them.
    """
    rows = {file: answerable(folder / file) for file in (ARTICLES, POLICIES)}
    articles, policies = rows[ARTICLES], rows[POLICIES]
    if not articles and not policies:
        raise InputError(f"{folder} holds neither {ARTICLES} nor {POLICIES}.", code="no_questions")
    if articles:
        yield _paragraphs("articles, a few hundred paragraphs", _first_titles(articles))
        yield _paragraphs("articles, by paragraph", articles)
    if articles and policies:
        both = _paragraphs("articles among policies, by paragraph", [*articles, *policies])
        yield replace(both, questions=both.questions[: len(articles)])
    if articles:
        yield _whole("articles, whole", articles)
    if policies:
        apart = _whole("policies, whole, each asked on its own", policies)
        yield replace(apart, questions=[replace(one, within=(one.document_id,)) for one in apart.questions])


def answerable(path: Path) -> list[dict[str, Any]]:
    """The rows of a reading set that have an answer; none where the file is not there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as lines:
        return [row for row in map(json.loads, lines) if row["answerable"]]


def paragraphs(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, Paragraph]]:
    """The questions of a reading set, each with the paragraph that answers it."""
    return [(str(row["question"]).strip(), Paragraph(_title(row), str(row["passage"]))) for row in rows]


def own(documents: Path, questions: Path) -> Corpus:
    """Your own: a folder of files, and JSONL lines `{"question", "document_id", "answers"?}` with file names as ids.

    An answer is any of the given wordings.

    Raises:
        InputError: a line does not fit or names a file that is not there, or a file cannot be read.
    """
    parsed = {file.name: _parse(file) for file in sorted(documents.iterdir()) if file.is_file()}
    asked: list[Question] = []
    for number, line in enumerate(questions.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = _Row.model_validate_json(line)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise InputError(
                f"{questions.name}, line {number}: {where}: {problem['msg']}", code="invalid_question"
            ) from None
        if row.document_id not in parsed:
            raise InputError(
                f"{questions.name}, line {number}: there is no file {row.document_id!r} in {documents}.",
                code="invalid_question",
            )
        asked.append(Question(row.question, row.document_id, (tuple(row.answers),) if row.answers else ()))
    if not asked:
        raise InputError(f"{questions} holds no questions.", code="no_questions")
    return Corpus(documents.name, parsed, asked)


def _parse(file: Path) -> ParsedDocument:
    try:
        return parse_file(file.read_bytes(), file.name)
    except DocumentError as error:
        raise InputError(f"{file.name}: {error.message}", code=error.code) from None


def _paragraphs(name: str, rows: Sequence[Mapping[str, Any]]) -> Corpus:
    asked = paragraphs(rows)
    distinct = dict.fromkeys(paragraph for _, paragraph in asked)
    ids = {paragraph: f"{paragraph.title} {number}" for number, paragraph in enumerate(distinct, start=1)}
    documents = {ids[paragraph]: _document(paragraph.title, paragraph.text) for paragraph in distinct}
    questions = [
        Question(question, ids[paragraph], (tuple(row["answers"]),))
        for (question, paragraph), row in zip(asked, rows, strict=True)
    ]
    return Corpus(name, documents, questions, is_cut=False)


def _first_titles(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of the first titles that have a few hundred passages together."""
    passages: dict[str, set[str]] = {}
    for row in sorted(rows, key=_title):
        passages.setdefault(_title(row), set()).add(str(row["passage"]))
    chosen: list[str] = []
    for title in passages:
        if sum(len(passages[one]) for one in chosen) >= _FEW_HUNDRED:
            break
        chosen.append(title)
    return [row for row in rows if _title(row) in chosen]


def _whole(name: str, rows: Sequence[Mapping[str, Any]]) -> Corpus:
    passages: dict[str, list[str]] = {}
    for row in rows:
        known = passages.setdefault(_title(row), [])
        if row["passage"] not in known:
            known.append(row["passage"])
    documents = {title: _document(title, "\n\n".join(texts)) for title, texts in passages.items()}
    questions = [
        Question(str(row["question"]).strip(), _title(row), (tuple(row["answers"]), (_around(row),))) for row in rows
    ]
    return Corpus(name, documents, questions)


def _around(row: Mapping[str, Any]) -> str:
    """The answer with words of its sentence about it, which tell it from the same word elsewhere in the article."""
    passage, answer = str(row["passage"]), str(row["answers"][0])
    at = max(passage.find(answer), 0)
    sentences = [end.end() for end in _SENTENCE_END.finditer(passage)]
    first = max((end for end in sentences if end <= at), default=0)
    last = min((end for end in sentences if end >= at + len(answer)), default=len(passage))
    start = max(first, passage.rfind(" ", 0, max(at - _CHARACTERS_AROUND, 0)) + 1)
    space = passage.find(" ", at + len(answer) + _CHARACTERS_AROUND)
    return passage[start : min(last, space if space >= 0 else len(passage))].strip()


def _title(row: Mapping[str, Any]) -> str:
    return str(row["title"]).replace("_", " ")


def _document(title: str, text: str) -> ParsedDocument:
    return ParsedDocument(title, [Page(text)], "text/plain")


def _plain(text: str) -> str:
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
