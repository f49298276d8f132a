"""Real receipts with labels, from a local file that is not part of this project (SROIE's rows)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from eval.extraction.documents import Gold, LabelledDocument
from tools.errors import InputError
from tools.extraction.readers.amounts import parse_number
from tools.extraction.readers.dates import dates
from tools.extraction.readers.source import Source

Half = Literal["develop", "report", "unseen"]
"""Rows with even ids to develop on, those with odd ids to report; `unseen` are the latter's that are of a company
which the former do not have."""


class _Labels(BaseModel):
    model_config = ConfigDict(extra="forbid")
    company: str | None = None
    date: str | None = None
    address: str | None = None
    total: str | None = None


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: int
    text: str
    gold: _Labels


def read_receipts(path: Path, half: Half) -> Iterator[LabelledDocument]:
    """The receipts of a half. Documents of one company are one group.

    Raises:
        InputError: the file cannot be read or a line does not fit.
    """
    rows = list(_rows(path))
    developed = {_company(row) for row in rows if row.id % 2 == 0}
    for row in rows:
        wanted = row.id % 2 == (half != "develop")
        if wanted and not (half == "unseen" and _company(row) in developed):
            yield LabelledDocument(f"receipt-{row.id}", "receipt", row.text, _gold(row), _company(row))


def _rows(path: Path) -> Iterator[_Row]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", code="unreadable_file") from None
    for number, line in enumerate(lines, start=1):
        try:
            yield _Row.model_validate_json(line)
        except ValidationError as error:
            problem = error.errors()[0]["msg"]
            raise InputError(f"{path.name}, line {number}: {problem}", code="invalid_input") from None


def _company(row: _Row) -> str:
    return re.sub(r"[\W_]", "", (row.gold.company or f"receipt {row.id}").lower())


def _gold(row: _Row) -> dict[str, Gold]:
    gold: dict[str, Gold] = {}
    if row.gold.company:
        gold["company"] = row.gold.company
    if row.gold.address:
        gold["address"] = row.gold.address
    # The label is the receipt's own wording, which is read with the rest of the receipt: is 03/04 in March or April?
    days = dates(Source(f"{row.gold.date or ''}\n{row.text}"))
    if row.gold.date and days and days[0].start == 0:
        gold["date"] = str(days[0].value)
    if row.gold.total and (digits := re.search(r"\d[\d,.]*", row.gold.total)):
        gold["total"] = parse_number(digits.group().rstrip(".,"))
    return gold
