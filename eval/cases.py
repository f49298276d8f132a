"""Golden cases: what is asked, with which document, and what must come out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.results import Route
from tools.errors import InputError

REPOSITORY = Path(__file__).parents[1]
GOLDEN = Path(__file__).with_name("golden")


class GoldenModel(BaseModel):
    """Base of what is read from golden files: a misspelt field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Expectation(GoldenModel):
    """What the last turn must come to.

    Of each list in `facts` at least one wording must stand in the answer; `fields` maps a path of the extraction's
    data to its value, `null` where the document does not say.
    """

    route: Route
    facts: list[list[str]] = Field(default_factory=list[list[str]])
    document_id: str | None = None
    fields: dict[str, str | int | float | bool | None] = Field(
        default_factory=dict[str, str | int | float | bool | None]
    )
    label: Literal["FRAUD", "LEGITIMATE"] | None = None


class GoldenCase(GoldenModel):
    """One conversation; only its last turn is judged. `document` is a path below the repository, to be attached."""

    id: str
    kind: Route
    turns: list[str] = Field(min_length=1)
    document: str | None = None
    quick: bool = False
    expect: Expectation

    @property
    def document_path(self) -> Path | None:
        """The file to attach."""
        return None if self.document is None else REPOSITORY / self.document


def load_cases(folder: Path = GOLDEN, *, quick: bool = False) -> list[GoldenCase]:
    """Read every `*.jsonl` in `folder`, sorted by file and line; `quick` keeps the quick subset.

    Raises:
        InputError: there are no cases, a line does not fit, or two cases share an id.
    """
    cases = [case for path in _files(folder) for case in _read(path)]
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise InputError(f"Two golden cases in {folder} are called {case.id!r}.", code="invalid_golden_case")
        seen.add(case.id)
    chosen = [case for case in cases if case.quick or not quick]
    if not chosen:
        raise InputError(f"There are no golden cases in {folder}.", code="no_golden_cases", folder=str(folder))
    return chosen


def digest(cases: Sequence[GoldenCase]) -> str:
    """SHA-256 of the cases, which says whether two evaluations asked the same."""
    return hashlib.sha256("\n".join(case.model_dump_json() for case in cases).encode()).hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def _read(path: Path) -> list[GoldenCase]:
    cases: list[GoldenCase] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            cases.append(GoldenCase.model_validate_json(line))
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise InputError(
                f"{path.name}, line {number}: {where}: {problem['msg']}", code="invalid_golden_case"
            ) from None
    return cases
