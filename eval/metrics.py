"""Judges one case: which metrics apply to it, and a value in [0, 1] for each, with a note where it falls short."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.results import Citation
from eval.cases import GoldenCase
from eval.outcomes import Answered

SHORT_ANSWER_WORDS = 60

_MARK = re.compile(r"\[(\d{1,3})\]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# A sum of money as a person, a form or JSON states it; without one there is nothing to score.
_AMOUNT = re.compile(r"amount\W{1,4}(?:eur\s*)?\d|\d\s?(?:eur|usd|gbp|euros?|€|\$|£)|(?:eur|usd|gbp|€|\$|£)\s?\d", re.I)
_PLAIN = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-"})
_HALF_CENT = 0.005


@dataclass(frozen=True)
class Metric:
    """A metric's name for people and what it says."""

    title: str
    meaning: str
    lower_is_better: bool = False


METRICS: Mapping[str, Metric] = {
    "route_accuracy": Metric("route accuracy", "the node that answered is the expected one"),
    "fact_match": Metric("fact match", "every expected fact stands in the answer, in one of its wordings"),
    "fact_match_short": Metric("fact in <= 60 words", "the same, and the answer has at most 60 words"),
    "citations_valid": Metric(
        "citations valid",
        "every `[n]` has its citation and the other way round, and every quote stands verbatim in the document it "
        "names; an answer without sources has none",
    ),
    "source_accuracy": Metric("source accuracy", "the expected document is among the cited ones"),
    "abstention": Metric("abstention", "what cannot be answered from the documents was not answered"),
    "false_abstention": Metric("false abstention", "an answerable question was not answered", lower_is_better=True),
    "field_match": Metric("field match", "share of the expected fields with the expected value, or none where none is"),
    "assessment": Metric(
        "assessment", "a probability in [0, 1] with its label and score; where the amount lacks, a question instead"
    ),
}


@dataclass(frozen=True)
class Score:
    """A metric's value for a case, with the reason where it is not perfect."""

    metric: str
    value: float
    note: str | None = None


def judge(case: GoldenCase, answered: Answered, documents: Mapping[str, str | None]) -> list[Score]:
    """Score a case. `documents` maps each cited document to its text, `None` where there is no such document."""
    return [*_route(case, answered), *_by_kind(case, answered), *_citations(answered, documents)]


def _route(case: GoldenCase, answered: Answered) -> Iterator[Score]:
    right = answered.route == case.expect.route
    yield _binary("route_accuracy", right, f"{answered.route} answered, expected {case.expect.route}")


def _by_kind(case: GoldenCase, answered: Answered) -> Iterator[Score]:
    if case.kind == "knowledge":
        yield from _facts(case, answered)
    elif case.kind == "unknown":
        yield _binary("abstention", answered.abstained, "did not abstain")
    elif case.kind == "extraction":
        yield _fields(case.expect.fields, answered.data)
    else:
        yield _assessment(case, answered)


def _facts(case: GoldenCase, answered: Answered) -> Iterator[Score]:
    missing = [fact for fact in case.expect.facts if not any(states(answered.answer, wording) for wording in fact)]
    told = not missing and not answered.abstained
    words = len(_MARK.sub(" ", answered.answer).split())
    note = f"lacks {' and '.join(' / '.join(fact) for fact in missing)}" if missing else "abstained"
    yield _binary("fact_match", told, note)
    yield _binary("fact_match_short", told and words <= SHORT_ANSWER_WORDS, f"{words} words" if told else None)
    yield Score("false_abstention", float(answered.abstained), "abstained" if answered.abstained else None)
    expected = case.expect.document_id
    if expected and answered.citations:
        cited = sorted({citation.document_id for citation in answered.citations})
        yield _binary("source_accuracy", expected in cited, f"cites {', '.join(cited)}, expected {expected}")


def _citations(answered: Answered, documents: Mapping[str, str | None]) -> Iterator[Score]:
    if answered.route == "knowledge" or answered.citations:
        problem = citation_problem(answered, documents)
        yield _binary("citations_valid", problem is None, problem)


def citation_problem(answered: Answered, documents: Mapping[str, str | None]) -> str | None:
    """What is wrong with the citations of an answer, if anything."""
    if answered.abstained:
        return "an abstention with citations" if answered.citations else None
    marks = {int(number) for number in _MARK.findall(answered.answer)}
    numbers = [citation.n for citation in answered.citations]
    if not marks:
        return "an answer without citations"
    if dangling := sorted(marks - set(numbers)):
        return f"no citation for {_list(dangling)}"
    if unused := sorted(set(numbers) - marks):
        return f"citation {_list(unused)} is not in the answer"
    if len(numbers) != len(set(numbers)):
        return "two citations of one number"
    return next((problem for citation in answered.citations if (problem := _misquote(citation, documents))), None)


def _misquote(citation: Citation, documents: Mapping[str, str | None]) -> str | None:
    text = documents.get(citation.document_id)
    if text is None:
        return f"[{citation.n}] names {citation.document_id}, which does not exist"
    if not citation.quote.strip() or citation.quote not in text:
        return f"[{citation.n}] is not verbatim in {citation.document_id}"
    return None


def _fields(expected: Mapping[str, Any], data: Mapping[str, Any] | None) -> Score:
    if data is None:
        return Score("field_match", 0.0, "nothing was extracted")
    wrong = [
        f"{path}: {_at(data, path)!r}, expected {want!r}"
        for path, want in expected.items()
        if not same_value(want, _at(data, path))
    ]
    return Score("field_match", 1 - len(wrong) / len(expected), "; ".join(wrong) or None)


def _assessment(case: GoldenCase, answered: Answered) -> Score:
    if not names_an_amount(case.turns):
        asked = answered.route == "fraud" and answered.fraud is None and answered.reason == "missing_fields"
        return _binary("assessment", asked, "scored without an amount instead of asking for it")
    fraud = answered.fraud
    if fraud is None:
        return _binary("assessment", False, f"not scored: {answered.reason or answered.answer[:120]}")
    consistent = fraud.risk_score == round(100 * fraud.probability)
    labelled = case.expect.label in (None, fraud.label)
    note = f"{fraud.label} at {fraud.probability}, score {fraud.risk_score}, expected {case.expect.label}"
    return _binary("assessment", consistent and labelled, note)


def names_an_amount(turns: Sequence[str]) -> bool:
    """Whether a conversation states a sum of money."""
    return any(_AMOUNT.search(turn) for turn in turns)


def states(answer: str, fact: str) -> bool:
    """Whether `fact` stands in `answer`, as `normalised` reads both; `30 days` is not in `130 days`."""
    wording = re.escape(normalised(fact))
    before = r"(?<!\d)(?<!\d[.,])" if wording[0].isdigit() else ""
    after = r"(?![.,]?\d)" if wording[-1].isdigit() else ""
    return re.search(f"{before}{wording}{after}", normalised(_MARK.sub(" ", answer))) is not None


def normalised(text: str) -> str:
    """Lower case, compatibility characters, quotes and dashes made plain, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_PLAIN).split()).casefold()


def same_value(expected: Any, found: Any) -> bool:
    """Whether a value is the expected one: amounts to the cent, dates by day, texts by letters and digits."""
    if expected is None or found is None:
        return expected is found
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | float):
        return isinstance(found, int | float) and abs(found - expected) < _HALF_CENT
    if _DATE.fullmatch(expected):
        return str(found)[:10] == expected
    return _letters(expected) == _letters(str(found))


def _at(data: Mapping[str, Any], path: str) -> Any:
    value: Any = data
    for key in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, Mapping):
            value = value.get(key)  # pyright: ignore[reportUnknownVariableType]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):  # pyright: ignore[reportUnknownArgumentType]
            value = value[int(key)]  # pyright: ignore[reportUnknownVariableType]
        else:
            return None
    return value  # pyright: ignore[reportUnknownVariableType]


def _letters(text: str) -> str:
    return "".join(character for character in normalised(text) if character.isalnum())


def _binary(metric: str, good: bool, note: str | None) -> Score:
    return Score(metric, float(good), None if good else note)


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(f"[{number}]" for number in numbers)
