"""Questions over passages, answerable and not, and which of their documents are held out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from finetune.errors import RowsError

# Of the documents that have near misses every fourth is held out, of the others every fifth.
_OF_NEAR_MISSES = slice(1, None, 4)
_OF_OTHERS = slice(0, None, 5)


class ReadingRow(BaseModel):
    """A question about a passage. `answers` are spans of it, verbatim; documents, by their `title`, are never split."""

    model_config = ConfigDict(frozen=True)

    title: str
    passage: str
    question: str
    answerable: bool
    answers: tuple[str, ...] = ()


def read_reading_rows(files: Iterable[Path]) -> list[ReadingRow]:
    """Read JSON lines with title, passage, question, answerable and answers.

    Raises:
        RowsError: a file cannot be read, or rows are unusable (all of a file are listed).
    """
    rows: list[ReadingRow] = []
    for path in files:
        rows += _read(path)
    if not rows:
        raise RowsError("There are no rows to learn from.")
    return rows


def held_out_titles(rows: Sequence[ReadingRow]) -> frozenset[str]:
    """The documents that nothing is trained on, the same for the same rows."""
    near = sorted({row.title for row in rows if not row.answerable})
    others = sorted({row.title for row in rows} - set(near))
    return frozenset([*near[_OF_NEAR_MISSES], *others[_OF_OTHERS]])


def _read(path: Path) -> list[ReadingRow]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RowsError(f"{path} cannot be read as UTF-8 text ({type(error).__name__}).") from error
    rows: list[ReadingRow] = []
    wrong: dict[int, str] = {}
    for number, line in enumerate(lines, 1):
        try:
            rows.append(ReadingRow.model_validate(json.loads(line)))
        except ValidationError as error:
            wrong[number] = error.errors()[0]["msg"]
        except ValueError:
            wrong[number] = "no JSON"
    if wrong:
        raise RowsError(f"{path} has unusable rows.", wrong)
    return rows
