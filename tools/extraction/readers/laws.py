"""Whose law governs a contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.extraction.readers.jurisdictions import JURISDICTION, NATIONAL
from tools.extraction.readers.misread import misreadable
from tools.extraction.readers.source import Candidate, Source

_FLAGS = re.IGNORECASE
_GAP = r"(?:[ \t]+|[ \t]*\n[ \t]*)"
_DIVISION = misreadable(
    r"(?:state|commonwealth|province|republic|kingdom|federal\s+republic|principality|canton|territory|grand\s+duchy|emirate)"
)
_DIVISION_OF = rf"(?:(?i:{_DIVISION}\s+{misreadable('of')})\s+)?"
_PREFIX = rf"(?i:the\s+)?{_DIVISION_OF}(?i:the\s+)?{_DIVISION_OF}"
_WORD = r"[A-ZÀ-Þ](?:[\w'’-]*\w)?(?:\.(?=[A-Z,]))?"
_PLACE = rf"(?P<place>{_WORD}(?:(?:,?{_GAP}(?:and|of|the)){{1,2}}{_GAP}{_WORD}|,?{_GAP}{_WORD}){{0,6}})"
_LAW = misreadable("laws?")
_LAW_OF = rf"(?:{_LAW}|{misreadable('legal')}\s+(?:system|order)|legislation)"
_IN = misreadable(r"of|in\s+force\s+in|in\s+effect\s+in|within|in|from")
_LAWS_OF = re.compile(
    rf"\b(?i:{_LAW_OF})(?:\s*\([^()]{{0,80}}\)|,\s[^,.;()]{{0,60}},)?"
    r"(?i:,?\s+(?:(?:and|or)\s+)?(?:the\s+)?(?:rules|regulations|decisions|statutes|legislation|customs|usages|practice|ordinances|legal\s+system|jurisdiction))"
    r"{0,3}"
    r"(?i:,?\s+(?:as\s+)?(?:applicable|applied|prevailing|valid|then|now|currently))?"
    rf"\s*,?\s+(?i:{_IN}),?\s+{_PREFIX}{_PLACE}"
)
_THOSE_OF = re.compile(
    rf"\b(?i:{_LAW})\b[^.;]{{0,60}}?\s(?:is|are|shall\s+be)\s+(?:that|those)\s+of\s+{_PREFIX}{_PLACE}"
)
_ADJECTIVE = re.compile(rf"(?P<place>{_WORD}(?:{_GAP}(?:and{_GAP})?{_WORD}){{0,2}}){_GAP}(?:\w+\s+)?(?i:{_LAW})\b")
_NATIONAL = re.compile(rf"(?<!\w)(?P<place>{NATIONAL.pattern})(?:['’]s)?{_GAP}(?:[a-z]+\s+)?{_LAW}\b", _FLAGS)
_PLAIN = r"[A-ZÀ-Þ][\w'’-]*"
_WHOSE = re.compile(
    rf"{_PREFIX}(?P<place>{_PLAIN}(?:\s+(?:(?:and|of|the)\s+)?{_PLAIN}){{0,4}}?)\s+(?i:(?:is|as)\s+the\s+\w+\s+(?:of\s+)?"
    rf"(?:whose|which\s+the)\s+{_LAW}\s+(?:shall\s+)?{misreadable('(?:govern|appl)')})"
)
_THEREOF = re.compile(
    r"\blaws?\s+(?:of\s+(?:said|such|that|the\s+(?:said|same|aforesaid))\s+(?:state|commonwealth|province|country|jurisdiction)"
    r"|thereof|(?:in\s+(?:force|effect)\s+)?(?:in|within)\s+(?:that|such|said)\s+\w+)"
    r"|\b(?:by|under|with|to)\s+its\s+laws?\b",
    _FLAGS,
)
_NAMED_BEFORE = re.compile(rf"(?i:{_DIVISION}\s+of\s+(?:the\s+)?){_PLACE}|(?P<bare>{JURISDICTION.pattern})")
_GOVERNS = re.compile(
    misreadable(
        r"\bgovern|\bconstru(?:ed|ction|ing)|\binterpret|\benforce[ds]|choice\s+of\s+laws?|\bappli(?:es|ed)\b|"
        r"\bappli(?:cable|cation\s+of)\s+(?:the\s+)?(?:\w+\s+)?law|\bproper\s+law|"
    )
    + r"\b(?:judged|decided|determined|resolved|ruled|settled|controlled|read)\b|"
    r"\b(?:choose|chosen?|opt\s+for|agree\s+(?:on|to|that)|agreed\s+on)\b|"
    r"\blaw\s+that\s+applies|\blaw\s+of\s+(?:this|the)\s+(?:agreement|contract)\s+is|\bapplicable\s+law\b",
    _FLAGS,
)
_APPLIES = re.compile(
    misreadable(
        r"\W{0,2}\s*(?:(?:shall|will|must|is\s+to|are\s+to|to|is|are|be|exclusively|solely|alone|only|also|hereby)\s+){0,5}"
        r"(?:govern|appl(?:y|ie[sd]|icable)|control|prevail)"
    ),
    _FLAGS,
)
_SUBJECT = re.compile(
    misreadable(
        r"\b(?:agreement|contract|licen[cs]e|lease|deed|disputes?|questions?|claims?|controvers\w+)\b[^.;]{0,80}"
        r"\b(?:subject\s+to|under|accordance\s+with|pursuant\s+to)\b"
    ),
    _FLAGS,
)
_OTHER_PURPOSE = (
    r"\b(?:organi[sz]ed|incorporated|existing|formed|registered|constituted|established|validly|standing|"
    r"comply|complies|compliance|obey\w*|observe\w*|violat\w+|protection|required|permitted|allowed|provided\s+by|"
    r"company|corporation|partnership|entity|association|seat|extent|qualified|licensed\s+under|withh\w+|waive\w*|rights?\s+under|benefits?\s+of)\b"
)
_STATUS = re.compile(rf"{_OTHER_PURPOSE}[^.;]{{0,60}}$", _FLAGS)
_STATUS_ANYWHERE = re.compile(_OTHER_PURPOSE, _FLAGS)
_OF_A_SUBJECT = re.compile(
    r"(?:export|import|customs|tax|data|privacy|protection|securities|employment|labou?r|antitrust|competition|"
    r"bankruptcy|insolvency|environmental|patent|copyright|trademark|corruption|bribery|laundering|consumer|corporat\w+|"
    r"company|criminal|health|safety|sanctions?|immigration|zoning|community|marital|maritime|public|usury|conflicts?\s+of)"
    r"[\s-]+$",
    _FLAGS,
)
"""Before "law": of a subject rather than of a place."""
_SET_ASIDE = re.compile(
    r"\b(?:without|regardless\s+of|irrespective\s+of|excluding|exclud\w+|exclusion\s+of|except|exception\s+of|other\s+than|instead\s+of|"
    r"notwithstanding|rather\s+than|and\s+not|but\s+not|would|might|may)\b[^,;.()]*$",
    _FLAGS,
)
"""The law is named to say that it does not govern."""
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
    "laws law for under controlling proper export customs no eu european said that by to be in".split()
)
_TOPIC = misreadable(
    r"(?:(?:governing|applicable|controlling|proper)\s+laws?|choice\s+of\s+laws?|laws?\s+(?:governing|that\s+applies|of\s+(?:the\s+)?contract)|"
    r"laws?(?:\s*(?:and|&|/|;|,)\s*(?:the\s+)?(?:jurisdiction|venue|forum|courts?)))"
)
_TOPIC_TAIL = (
    r"(?:\s*(?:and|&|/|;|,|-)\s*(?:the\s+)?(?:place\s+of\s+)?"
    r"(?:jurisdiction|venue|forum|courts?|disputes?(?:\s+resolution)?|arbitration|attorneys['’]?\s+fees|language))*"
)
_NUMBER = r"(?:(?:section|article|clause)\s+)?(?:\(?[\dIVXivxa-z]{1,4}(?:\.\d{1,2})*[.):]?\s+)?"
_HEADING = re.compile(
    rf"(?:^|\n|\||[.;:]\s|\t|\s{{3}})[ \t*#_(\"“]{{0,20}}{_NUMBER}[*_\"“(]{{0,3}}(?:(?:venue|jurisdiction|"
    rf"forum|disputes?)\s*(?:and|&|/|;|,)\s*)?"
    rf"(?:{_TOPIC}(?:\s+of\s+(?:this|the)\s+(?:agreement|contract|licen[cs]e|deed))?{_TOPIC_TAIL}|(?P<bare>laws?)(?=\s*[:|]))",
    _FLAGS,
)
_SEPARATOR = re.compile(r"[ \t]*[*_\"”)]*[ \t]*(?:[:.|=]|[-–—]{1,2}(?=\s)|[ \t]{2,}|[ \t]*(?=\n))\s*[*_|]*[ \t]*")
_VALUE = re.compile(rf"(?i:{_LAW}\s+of\s+)?{_PREFIX}{_PLACE}(?P<law>{_GAP}(?i:{_LAW}))?")
_UNDER_HEADING = 220
_BOUNDARY = re.compile(r"(?<!\b[A-Z])(?<!\b(?:No|Co))(?<!\b(?:Inc|Ltd|Art|Sec))[.;]\s+(?=[A-Z(\d\"“])|\n\s*\n|\f")
_BEFORE, _AFTER = 400, 200


@dataclass(frozen=True)
class _Mention:
    """A place whose law the prose speaks of, with what its sentence says before and after."""

    start: int
    place: str
    before: str
    after: str


def governing_laws(source: Source) -> Sequence[Candidate]:
    """Places whose law a sentence or heading says governs ("the laws of ...", "Swiss law"), bare of `the State of`."""
    text = source.prose.text
    found = {start: (place, cue) for start, place, cue in _headed(text)}
    for mention in (*_of_places(text), *_adjectives(text), *_national(text), *_back_references(text)):
        cue = _cue(text, mention)
        if cue > found.get(mention.start, ("", 0.0))[1]:
            found[mention.start] = mention.place, cue
    for match in _WHOSE.finditer(text):
        found.setdefault(match.start("place"), (match["place"], 0.84))
    return [_candidate(source, start, place, cue) for start, (place, cue) in sorted(found.items())]


def _candidate(source: Source, start: int, place: str, cue: float) -> Candidate:
    return Candidate(" ".join(place.split()), *source.prose.place(start, start + len(place)), cue)


def _cue(text: str, mention: _Mention) -> float:
    """How surely the mentioned law governs; 0 where it is another law."""
    governs, status = _last(_GOVERNS, mention.before), _last(_STATUS, mention.before)
    set_aside = _SET_ASIDE.search(mention.before[-120:])
    if set_aside or status > governs:
        return 0.0
    if governs >= 0:
        return 0.92
    if _APPLIES.match(mention.after) or _GOVERNS.search(mention.after):
        return 0.88
    if _is_under_heading(text, mention.start):
        return 0.85
    if _SUBJECT.search(mention.before):
        return 0.72
    return 0.58 if JURISDICTION.match(mention.place) and not _STATUS_ANYWHERE.search(mention.before) else 0.0


def _last(pattern: re.Pattern[str], text: str) -> int:
    starts = [match.start() for match in pattern.finditer(text)]
    return starts[-1] if starts else -1


def _is_under_heading(text: str, place: int) -> bool:
    """A heading about the governing law stands shortly before, in the same paragraph or right above it."""
    start = max(0, place - _UNDER_HEADING)
    headings = [match.end() for match in _HEADING.finditer(text, start, place)]
    return bool(headings) and len(re.findall(r"\S\s*\n\s*\n\s*\S", text[headings[-1] : place])) <= 1


def _mention(text: str, match: re.Match[str], law: int) -> _Mention | None:
    """The place of a match, whose "law" begins at `law`."""
    place = _place(match["place"])
    if place is None:
        return None
    start = match.start("place")
    before = _BOUNDARY.split(text[max(0, match.start() - _BEFORE) : match.start()])[-1]
    end = max(start + len(place), law)
    return _Mention(start, place, before, _BOUNDARY.split(text[end : end + _AFTER])[0])


def _of_places(text: str) -> Iterator[_Mention]:
    """`the laws of the State of Ohio`."""
    for match in (*_LAWS_OF.finditer(text), *_THOSE_OF.finditer(text)):
        of_a_subject = _OF_A_SUBJECT.search(text[max(0, match.start() - 30) : match.start()])
        if not of_a_subject and (mention := _mention(text, match, match.start())):
            yield mention


def _adjectives(text: str) -> Iterator[_Mention]:
    """`Utopian law`, where it is not a title or the beginning of a sentence."""
    for match in _ADJECTIVE.finditer(text):
        no_place = match["place"].isupper() or any(word in _NO_PLACE for word in match["place"].lower().split())
        if not no_place and (mention := _mention(text, match, match.end())):
            yield mention


def _national(text: str) -> Iterator[_Mention]:
    """`Swiss law`, `DELAWARE LAW`: places that are known."""
    for match in _NATIONAL.finditer(text):
        between = re.sub(rf"{_LAW}$", "", text[match.end("place") : match.end()], flags=_FLAGS)
        named = match["place"][0].isupper() and not _OF_A_SUBJECT.search(between.lstrip() or "-")
        if named and (mention := _mention(text, match, match.end())):
            yield mention


def _back_references(text: str) -> Iterator[_Mention]:
    """`made in the State of Ohio and governed by the laws of said State`: the place that was named before."""
    for match in _THEREOF.finditer(text):
        start = max(0, match.start() - _BEFORE)
        start += len(text[start : match.start()]) - len(_BOUNDARY.split(text[start : match.start()])[-1])
        named = [
            one for one in _NAMED_BEFORE.finditer(text, start, match.start()) if one[0][0].isupper() or one["place"]
        ]
        if not named:
            continue
        group = "place" if named[-1]["place"] else "bare"
        if place := _place(named[-1][group]):
            after = _BOUNDARY.split(text[match.end() : match.end() + _AFTER])[0]
            yield _Mention(named[-1].start(group), place, text[start : match.start()], after)


def _headed(text: str) -> Iterator[tuple[int, str, float]]:
    """A place that is all that a label or a heading announces: `Governing law: Japan`."""
    for heading in _HEADING.finditer(text):
        separator = _SEPARATOR.match(text, heading.end())
        match = _VALUE.match(text, separator.end()) if separator else None
        place = _place(match["place"]) if match else None
        if match is None or place is None:
            continue
        start = match.start("place")
        end = match.end() if match["law"] and place == match["place"] else start + len(place)
        known = JURISDICTION.fullmatch(place) or NATIONAL.fullmatch(place)
        # The place is all that is announced, not the first words of a sentence.
        if re.match(
            r"[ \t]*(?:[.;|)\"”*]|\(|\n|\f|$|\s{3}|,\s)" if known else r"[ \t]*(?:[.;|]?[ \t]*(?:\n|\f|$)|\|)",
            text[end:],
        ):
            yield start, place, 0.9 if known else 0.75


def _place(written: str) -> str | None:
    """The place without what follows it in the sentence and without the country of a state."""
    known = JURISDICTION.match(written)
    if known is None:
        place = _STOP.sub("", written)
        known_adjective = NATIONAL.fullmatch(place)
    else:
        place, known_adjective = known[0], None
        country = re.compile(rf",\s+(?:the\s+)?(?:{JURISDICTION.pattern})", _FLAGS).match(written, known.end())
        place = written[: country.end()] if country else place
    place = _COUNTRY_TAIL.sub("", place) if not _COUNTRY_TAIL.fullmatch(f" {place}") else place
    place = re.sub(r"[\s,.;-]+$", "", re.sub(r"[.](?=\s).*$", "", place, flags=re.DOTALL)) if not known else place
    if known is None and known_adjective is None and (len(place) < 3 or place.lower() in _NO_PLACE):
        return None
    return place
