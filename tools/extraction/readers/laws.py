"""Whose law governs a contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tools.extraction.readers.labels import find_labels, value_after
from tools.extraction.readers.source import Candidate, Source

_DIVISION = (
    r"(?:State|Commonwealth|Province|Republic|Kingdom|Federal\s+Republic|Principality|Canton|Territory|Grand\s+Duchy)"
)
_PREFIX = rf"(?i:the\s+)?(?:(?i:{_DIVISION}\s+of)\s+)?(?i:the\s+)?"
_NAME = r"[A-ZÀ-Þ][\w'’.-]*"
_PLACE = rf"(?P<place>{_NAME}(?:(?:,?\s+(?:and|of|the)){{1,2}}\s+{_NAME}|,?\s+{_NAME}){{0,6}})"
_LAWS_OF = re.compile(
    rf"\b(?i:laws?)(?:\s+(?:and|or)\s+\w+)?(?:,?\s+(?:as\s+)?(?:applicable|applied|prevailing|valid))?"
    rf"\s+(?i:of|in\s+force\s+in|in\s+effect\s+in|in|from)\s+{_PREFIX}{_PLACE}"
)
_ADJECTIVE = re.compile(rf"(?P<place>{_NAME}(?:\s+(?:and\s+)?{_NAME}){{0,2}})\s+(?:\w+\s+)?(?:laws?|LAWS?)\b")
_PLAIN = r"[A-ZÀ-Þ][\w'’-]*"
_WHOSE = re.compile(
    rf"{_PREFIX}(?P<place>{_PLAIN}(?:\s+(?:(?:and|of|the)\s+)?{_PLAIN}){{0,4}}?)\s+(?i:is\s+the\s+\w+\s+(?:of\s+)?(?:whose|which\s+the)"
    r"\s+laws?\s+(?:shall\s+)?(?:govern|appl))"
)
_VALUE = re.compile(rf"(?:(?i:laws?)\s+(?i:of)\s+)?{_PREFIX}{_PLACE}")
_GOVERNS = re.compile(
    r"\bgovern|\bconstru(?:ed|ction)|\binterpret|\benforce[ds]|choice\s+of\s+law|\bappli(?:es|cable)\s+law|\bproper\s+law|"
    r"\b(?:judged|decided|determined|resolved|ruled)\b|\b(?:choose|chosen?|opt\s+for|agree\s+on)\b|\blaw\s+that\s+applies",
    re.IGNORECASE,
)
_APPLIES = re.compile(r"\s+(?:shall\s+|will\s+)?(?:govern|appl(?:y|ies)|control)", re.IGNORECASE)
_SUBJECT = re.compile(
    r"\b(?:agreement|contract|disputes?|questions?)\b[^.;]{0,80}\b(?:subject\s+to|under|accordance\s+with)\b",
    re.IGNORECASE,
)
_STATUS = re.compile(
    r"\b(?:organi[sz]ed|incorporated|existing|formed|registered|constituted|established|validly|standing|"
    r"comply|compliance|pursuant|violat\w+|protection|required)\b[^.;]{0,60}$",
    re.IGNORECASE,
)
_STOP = re.compile(
    r",?\s+(?i:without|excluding|exclusive|regardless|except|notwithstanding|applicable|giving|irrespective|as|in|"
    r"and\s+(?:the\s+)?(?:courts?|parties|each|any|all|shall)|which|shall|govern\w*|applies|apply|for|to|but|with|is|are)\b.*$|"
    r"[.,]?\s+(?:The|This|Any|All|Each|Disputes?|Both|If|In|Venue|Jurisdiction|Severability|No|Neither|Either)\b.*$",
    re.DOTALL,
)
_COUNTRY_TAIL = re.compile(r",?\s+(?:the\s+)?(?:United\s+States(?:\s+of\s+America)?|U\.?S\.?(?:A\.?)?)$")
_NO_PLACE = frozenset(
    "governing applicable the this any such all common federal data tax privacy local state civil corporate and of "
    "choice conflict conflicts international foreign public mandatory relevant each employment labor labour securities "
    "laws law for under".split()
)
_LABELS = ("governing law", "applicable law", "proper law", "choice of law", "law that applies", "law and jurisdiction",
           "law and venue", "law")  # fmt: skip
_BEFORE, _AFTER = 260, 160


def governing_laws(source: Source) -> Sequence[Candidate]:
    """Places whose law a sentence or heading says governs ("the laws of ...", "Swiss law"), bare of `the State of`."""
    return [*_of_places(source), *_whose(source), *_adjectives(source), *_headed(source)]


def _of_places(source: Source) -> Iterator[Candidate]:
    text = source.flowed
    for match in _LAWS_OF.finditer(text):
        before = _clause_before(text, match.start())
        after = re.split(r"[.;]\s", text[match.end() : match.end() + _AFTER])[0]
        if _STATUS.search(before) and not _GOVERNS.search(before[-60:]):
            continue
        if _GOVERNS.search(before):
            cue = 0.92
        elif _GOVERNS.search(after) or _APPLIES.match(after):
            cue = 0.88
        elif _SUBJECT.search(before):
            cue = 0.72
        else:
            continue
        if found := _place(source, match, cue):
            yield found


def _whose(source: Source) -> Iterator[Candidate]:
    """`Denmark is the country whose law governs`."""
    return (found for match in _WHOSE.finditer(source.flowed) if (found := _place(source, match, 0.84)))


def _adjectives(source: Source) -> Iterator[Candidate]:
    text = source.flowed
    for match in _ADJECTIVE.finditer(text):
        if any(word.lower() in _NO_PLACE for word in match["place"].split()):
            continue
        before = _clause_before(text, match.start())
        after = re.split(r"[.;]\s", text[match.end() : match.end() + _AFTER])[0]
        governs = _GOVERNS.search(before) or _APPLIES.match(after)
        if (governs or _SUBJECT.search(before)) and (found := _place(source, match, 0.84 if governs else 0.7)):
            yield found


def _headed(source: Source) -> Iterator[Candidate]:
    """A place right after a label: `Governing law: Japan`."""
    for label in find_labels(source, _LABELS):
        value = value_after(source, label)
        if value and label.leads and (match := _VALUE.match(source.flowed, value[0])):
            whole = re.split(r"[.;](?:\s|$)", source.text[value[0] : value[1]])[0]
            # The place is all that the label announces, not the first words of a sentence.
            rest = source.text[match.end("place") : value[0] + len(whole)]
            if len(rest.split()) <= 1 and (found := _place(source, match, 0.9)):
                yield found


def _clause_before(text: str, end: int) -> str:
    return re.split(r"[.;]\s|\n\s*\n", text[max(0, end - _BEFORE) : end])[-1]


def _place(source: Source, match: re.Match[str], cue: float) -> Candidate | None:
    """The place without what follows it in the sentence and without the country of a state."""
    place = re.split(r"\n\s*\n|\f", match["place"])[0]
    place = _STOP.sub("", place)
    place = _COUNTRY_TAIL.sub("", place) if not _COUNTRY_TAIL.fullmatch(f" {place}") else place
    place = re.sub(r"[\s,.;-]+$", "", re.sub(r"[.](?=\s).*$", "", place, flags=re.DOTALL))
    if len(place) < 3 or place.lower() in _NO_PLACE:
        return None
    start = match.start("place")
    return Candidate(" ".join(source.text[start : start + len(place)].split()), start, start + len(place), cue)
