"""What an agreement says of itself: between whom it is and from when it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tools.extraction.readers.dates import dates
from tools.extraction.readers.misread import misreadable
from tools.extraction.readers.names import FORM, FORM_OPENING, organisations
from tools.extraction.readers.party_tables import party_entries
from tools.extraction.readers.source import Candidate, Source

_SEARCHED_CHARS = 30_000
_OPENING_CHARS = 5000
_PARTY_CHARS = 700
_TITLE_CHARS = 1500
_MAX_PARTIES = 8


@dataclass(frozen=True)
class Party:
    """A party of a contract with the role it is given, each with its place."""

    name: Candidate
    role: Candidate | None


_ROLE = re.compile(
    r"\([^()\"“”\n]{0,80}?[\"“”'‘](?:the\s+)?(?P<role>[^\"“”'’()]{2,45})[\"”“'’][^()]{0,90}\)", re.IGNORECASE
)
_QUOTED_ROLE = re.compile(
    r"\b(?:as|the|below|called|named|hereafter|hereinafter|being|to\s+as)\s+(?:the\s+)?[\"“](?P<role>[A-Z][^\"“”()]{1,45})[\"”]",
    re.IGNORECASE,
)
"""A role without a bracket: `Acme Ltd, as the "Supplier"`."""
_NO_ROLE = re.compile(
    r"agreement|contract\b|\bdate\b|\bday\b|services?$|\bterm$|\bterritory|^part(?:y|ies)$|products?$|effective|"
    r"premises|property|^(?:sow|msa|nda|(?:work\s+)?order)$|"
    r"programme?$|^fees?$|\bact\b|confidential information|software$|exhibit|schedule",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"\b(?:by\s+and\s+(?:between|among)|between|among|undersigned|entered\s+into\s+by|made\s+by)\b[\s:,]*",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:[\s,;:.\-–—*#|]|\(?(?:\d{1,2}|[ivxa-c]{1,3})[.)]\s|(?:and|between|by|among|amongst|with|on\s+the\s+(?:one|other)\s+(?:hand|part|side)|"
    r"of\s+the\s+(?:one|first|other|second|third)\s+part|party\s+[AB12]|parties|the\s+undersigned|dated|whereas|"
    r"(?:we|us|you|i)(?=,)|(?:one|first|second|other)\s+party|messrs?\.?|company|name)\b:?\s*)+",
    re.IGNORECASE,
)
_WORD = r"[A-Z0-9À-Þ][\w&'’./+!-]*"
_NAME = re.compile(
    rf"(?P<name>[A-ZÀ-Þ0-9][\w&'’./+!-]*(?:,?\s(?:{FORM})(?!\w)\.?|\s(?:&|and|of|de|du|la|the|for|van|von|und|y)(?=\s{_WORD})|\s{_WORD})*)"
)
_MAKES = re.compile(
    r"\b(?:agreement|contract|lease|licen[cs]e|deed|made|entered|parties|undersigned|dated)\b", re.IGNORECASE
)
_FIRST_CLAUSE = re.compile(
    r"\n\s*(?:WHEREAS|W\s?I\s?T\s?N\s?E\s?S\s?S|RECITALS?|BACKGROUND|PREAMBLE|NOW,?\s+THEREFORE|IN\s+CONSIDERATION|"
    r"(?:ARTICLE|SECTION)\s+[1I]\b|1\.(?:0?1)?\s+\S)|\bWHEREAS\b|\bNOW,?\s+THEREFORE\b|\bWITNESSETH\b",
    re.IGNORECASE,
)
_DESCRIBES = re.compile(
    r",?\s*(?:an?|with|having|whose|located|organi[sz]ed|incorporated|registered|of|the|as|acting|represented|for|on|doing|d/b/a|residing)\b|"
    r",?\s*\d|,\s+[A-Z]",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"(?P<mark>[,;:)]|\d)?\s+(?P<and>(?i:and))[\s:,]+(?:between\s+)?(?=[A-Z0-9\"“])|;\s+(?=[A-Z])|\n\s*\(?(?:\d{1,2}|[a-c])[.)]\s+|\n\s*\n\s*(?=[A-Z])"
)
_SENTENCE_END = re.compile(
    r"\.\s+(?:[A-Z][a-z]+\s[a-z]|[A-Z]{2,}\s)|\bWHEREAS\b|\n\s*\n(?!\s*(?:(?i:and)\b|\(?\d|[A-Z]))"
)
_FORM_AT_END = re.compile(rf"(?:^|[\s,])(?:{FORM})\.?$")
_CAPITAL_LEAD = re.compile(
    r"(?:[A-Z]+\s)*(?:THAT|BY|WITH|BETWEEN|IS|THIS|IT|BE|KNOWN|MADE|INSTRUMENT|DEED|INDENTURE)\s(?=[A-Z])"
)
"""Words of a sentence in capitals before the name that it goes on with."""
_NOBODY = re.compile(
    r"(?:we|us|you|i|it|be|the|what|both|thus|on|of)$|.*\b(?:agreement|contract|deed|indenture)\b", re.IGNORECASE
)
_PLACEHOLDER = re.compile(r"^(?:_+|\[.*|this|each|exhibit|article|section|whereas|recitals?|date[d]?)$", re.IGNORECASE)


def parties(source: Source) -> Sequence[Party]:
    """Names with the role that a bracket gives them (`Acme Ltd (the "Supplier")`); else the names that stand after
    "between", or those that sign."""
    if entries := party_entries(source):
        return [Party(one.name, one.role) for one in entries[:_MAX_PARTIES]]
    named = list(_with_roles(source))[:_MAX_PARTIES]
    if len(_distinct(named)) < 2:
        named += _without_roles(source)
    if len(_distinct(named)) < 2:
        named += _signing(source)
    return _distinct(named)


def _distinct(found: Sequence[Party]) -> list[Party]:
    kept: dict[str, Party] = {}
    for party in found:
        kept.setdefault(re.sub(r"\W", "", str(party.name.value)).lower(), party)
    return list(kept.values())


def opening(source: Source) -> tuple[int, int]:
    """Where an agreement says who makes it and when: around its first "between", up to the recitals or first clause."""
    text = source.flowed
    anchor = next(
        (one for one in _BETWEEN.finditer(text, 0, _SEARCHED_CHARS)
         if _MAKES.search(text, max(0, one.start() - 400), one.end())),
        None,
    )  # fmt: skip
    start = max(0, anchor.start() - 600) if anchor else 0
    after = anchor.end() if anchor else 0
    clause = _FIRST_CLAUSE.search(text, after, after + _OPENING_CHARS)
    return start, clause.start() if clause else min(len(text), after + _OPENING_CHARS // 2)


def _with_roles(source: Source) -> Iterator[Party]:
    """Names with their roles in the opening; without two roles in it, in the beginning of the text."""
    text = source.flowed
    start, end = opening(source)
    roles = _roles(text, start, end)
    if len(roles) < 2:
        start, roles = 0, _roles(text, 0, max(end, _OPENING_CHARS))
    return _named_with(source, start, roles)


def _roles(text: str, start: int, end: int) -> list[re.Match[str]]:
    """Roles in brackets, or, where no two are, in quotation marks alone."""
    found = [match for match in _ROLE.finditer(text, start, end) if not _NO_ROLE.search(match["role"])]
    if len(found) < 2:
        bare = (match for match in _QUOTED_ROLE.finditer(text, start, end) if not _NO_ROLE.search(match["role"]))
        taken = [match.start("role") for match in found]
        found += [match for match in bare if match.start("role") not in taken]
    return sorted(found, key=lambda match: match.start())


def _named_with(source: Source, previous: int, roles: Sequence[re.Match[str]]) -> Iterator[Party]:
    text = source.flowed
    for match in roles:
        start, previous = previous, match.end()
        anchors = [one.end() for one in _BETWEEN.finditer(text, start, match.start())]
        start = anchors[-1] if anchors else start
        if match.start() - start > _PARTY_CHARS:
            start = max(start, text.rfind("\n\n", 0, match.start()), match.start() - _PARTY_CHARS)
        if name := _named_before(source, start, match.start()):
            role = Candidate(match["role"].strip(), match.start("role"), match.end("role"), 0.85)
            yield Party(name, role)
            yield from (Party(other, role) for other in _others(source, name.end, match.start()))


def _others(source: Source, start: int, end: int) -> Iterator[Candidate]:
    """Further names that one bracket speaks of: `Acme Inc., a Texas company, Beta LLC, an Ohio company (each ...)`."""
    text = source.flowed
    for one in source.read(organisations):
        listed = re.search(r"(?:,|;|\band)\s+$", text[start : one.start]) if start < one.start < end else None
        if listed and re.match(r",?\s*(?:an?|having|with)\b", text[one.end : end]):
            yield replace(one, cue=0.7)


def _named_before(source: Source, start: int, end: int) -> Candidate | None:
    """The name of whom a bracket at `end` speaks: the last one that begins a party's description; else the first one
    with a legal form."""
    text = source.flowed
    for first, _ in reversed(_split_names(text, start, end)):
        name = _name_at(source, first, end)
        if name is None or re.match(r"\d+\s", str(name.value)):
            continue
        rest = text[name.end : end].strip()
        if first == start or not rest or _FORM_AT_END.search(str(name.value)) or _DESCRIBES.match(rest):
            return name
    return next((one for one in source.read(organisations) if start <= one.start and one.end <= end), None)


def _name_at(source: Source, start: int, end: int) -> Candidate | None:
    """The name that a stretch of text opens with, after numbers, "and" and the like."""
    text = source.flowed
    lead = _LEAD.match(text[start:end])
    first = start + (lead.end() if lead else 0)
    match = _NAME.match(text, first, end)
    if match is None or _PLACEHOLDER.match(match["name"].split()[0]):
        return None
    name = _ended(match["name"])
    if lead := _CAPITAL_LEAD.match(name):
        first, name = first + lead.end(), name[lead.end() :]
    if _NOBODY.match(name) and not _FORM_AT_END.search(name):
        return None
    if re.match(r"the\s\S+$", name, re.IGNORECASE) and not name.isupper():
        return None
    if sum(char.isalpha() for char in name) < 2 or len(name) > 100:
        return None
    return Candidate(" ".join(name.split()), first, first + len(name), 0.85)


def _ended(name: str) -> str:
    """The name up to its legal form: what follows is another sentence, another party or an address."""
    words = list(re.finditer(r"\S+", name))
    for index, word in enumerate(words[1:], 1):
        upto = name[: word.end()].rstrip(",")
        following = words[index + 1].group().strip(",") if index + 1 < len(words) else ""
        if _ends_sentence(words[index - 1].group()) and not _FORM_AT_END.search(name[: words[index - 1].end()]):
            name = name[: words[index - 1].end() - 1]
            break
        if _FORM_AT_END.search(upto) and not re.fullmatch(rf"(?:{FORM})\.?|&", following):
            name = upto
            break
    name = re.sub(r"(?:\s(?i:of|and|the|for|de))+$", "", re.sub(r"[\s,]+$", "", name))
    return name if _FORM_AT_END.search(name) else name.rstrip(".")


def _ends_sentence(word: str) -> bool:
    """A word with a full stop that is neither an abbreviation of a legal form nor an initial."""
    return re.search(r"[A-Za-z]{3}\.$", word) is not None and not re.fullmatch(FORM_OPENING, word)


def _without_roles(source: Source) -> list[Party]:
    """Names that follow "between", up to the end of the sentence."""
    text = source.flowed
    start, end = opening(source)
    for anchor in _BETWEEN.finditer(text, start, end):
        stop = _SENTENCE_END.search(text, anchor.end(), end)
        upto = min(stop.start() + 1 if stop else end, anchor.end() + 900)
        pieces = _split_names(text, anchor.end(), upto, people=True)
        names = [name for first, last in pieces if (name := _name_at(source, first, last)) and _proper(name)]
        if len(names) >= 2:
            return [Party(name, None) for name in names[:_MAX_PARTIES]]
    return []


def _proper(name: Candidate) -> bool:
    """Written like the name of a company or a person."""
    value = str(name.value)
    if _FORM_AT_END.search(value) or re.fullmatch(r"[A-Z]{3,}", value):
        return True
    words = value.split()
    return len(words) >= 2 and (value.isupper() or (len(words) <= 4 and _person(value)))


def _split_names(text: str, start: int, end: int, *, people: bool = False) -> list[tuple[int, int]]:
    """Stretches that may begin a party: the whole, and what follows a number or an "and" that does not join words of
    one name ("Smith and Sons Ltd"). With `people` two names of persons may be joined by it."""
    cuts = [start]
    for match in _JOINT.finditer(text, start, end):
        before = text[cuts[-1] : match.start()].rstrip()
        last = before.split()[-1] if before else ""
        joins = match["mark"] is None and last[:1].isupper() and not _FORM_AT_END.search(before)
        if "\n" in match.group().lower().partition("and")[0]:
            joins = False
        following = text[match.end() : end].split(",")[0].rstrip(" .\n")
        if people and _person(before) and _person(following) and not _FORM_AT_END.search(following):
            joins = False
        if not (match["and"] and joins):
            cuts.append(match.end())
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _person(text: str) -> bool:
    return re.fullmatch(r"\s*(?:[A-Z][\w.'’-]*\s+){1,3}[A-Z][\w'’-]+,?\s*", text) is not None


_SIGNS = re.compile(
    r"(?:for\s+and\s+on\s+behalf\s+of|signed\s+(?:for|by|on\s+behalf\s+of)|^\s*by:?)\s*:?\s*",
    re.IGNORECASE | re.MULTILINE,
)


def _signing(source: Source) -> list[Party]:
    """Organisations in the block of signatures."""
    found: list[Party] = []
    for match in _SIGNS.finditer(source.text):
        near = [one for one in source.read(organisations) if match.end() - 90 <= one.start <= match.end() + 60]
        near.sort(key=lambda one: (one.start < match.end(), abs(one.start - match.end())))
        found += [Party(replace(one, cue=0.5), None) for one in near[:1]]
    return found


_IN_FORCE = re.compile(
    misreadable(
        r"\beffective(?:\s+(?:date|as|on|from|beginning|starting))?\b|\b(?:takes?|come[s]?|enter[s]?|coming|put|entry)\s+(?:in(?:to)?\s+)?"
        r"(?:effect|force|operation)\b|\bcommenc(?:e[sd]?|ing|ement)\b|\b(?:start|begin)(?:s|ning|ing)?\b|"
        r"\bin\s+(?:effect|force),?\s+(?:as\s+)?(?:of|from|on|since)\b|\bwith\s+effect\s+from\b|\bretroactive\b|\binception\b|"
        r"\b(?:becomes?\s+(?:valid|operative|binding)|goes\s+live|first\s+day|legal\s+effect|effects?|begun|arises?)\b|"
        r"\b(?:valid(?:ity)?|operative|binding|bound|runs?|appl(?:y|ies|icable)|counts?)\s+(?:\w+\s+){0,3}(?:from|since|as\s+(?:of|from|at))\b|"
        r"\bdate\s+of\s+(?:this|the)\s+(?:agreement|contract|lease|licen[cs]e|deed)\b"
    ),
    re.IGNORECASE,
)
_BEGINS_THEN = re.compile(
    misreadable(
        r"\W{0,3}(?:\([^()]{0,20}\)\s*)?(?:(?:shall\s+be|is|will\s+be)\s+the\s+(?:\w+\s+){0,2}(?:effective|commencement|start(?:ing)?)?\s*"
        r"(?:date|day)\b|(?:this|the)\s+(?:\w+\s+)?(?:agreement|contract|lease|licen[cs]e)\s+(?:shall\s+|will\s+)?"
        r"(?:becomes?|takes?|comes?|enters?|starts?|begins?|commences?)\b)"
    ),
    re.IGNORECASE,
)
"""After a date: `shall be the Effective Date`, `this Agreement becomes binding`."""
_SINCE = re.compile(r"\b(?:from|since|as\s+of|as\s+at)\s+(?:the\s+)?$", re.IGNORECASE)
_BINDS = re.compile(r"\s+(?:on|onwards?|forward)?\W*(?:both|the\s+parties|each\s+(?:party|side)|they)\b", re.IGNORECASE)
_MADE = re.compile(
    misreadable(
        r"\b(?:dated|made|entered|executed|concluded|signed|agreed|as\s+of|this\s+(?:the\s+)?$|agreement\s+date|on\s+this)\b|\bthis\s*$"
    ),
    re.IGNORECASE,
)
_NAMED_EFFECTIVE = re.compile(
    r"^[^.;()]{0,40}\(\s*[^()\"“]{0,30}[\"“'‘]\s*(?:\w+\s+)?(?:Effective|Commencement|Start)\s+Date", re.IGNORECASE
)
_ENDS = re.compile(
    r"\b(?:expir\w*|terminat\w*|end(?:s|ing)?|due|supersed\w*|replaces?|amended|letter\s+of\s+intent|delivered|last\s+revised|"
    r"printed)\b[^.;]{0,50}$|"
    r"\b(?:until|through|no\s+later\s+than|prior\s+to|before|by)\b[^.;]{0,20}$",
    re.IGNORECASE,
)
_OTHER_DATED = re.compile(
    r"\b(?!(?:agreement|contract|lease|deed|licen[cs]e|this|and|is|are|be|the)\b)[a-z]\w{2,}\s+(?:is\s+)?(?:da[tf]ed|of)(?:\s+as\s+of)?\s*$"
    r"|\bdiscussed\s+[o0]n\s*$|\b(?:sheet|statements?|accounts?|report|balance|budget|prices?|list|audit)\s+as\s+(?:of|at)\s*$",
    re.IGNORECASE,
)
"""Another paper's date: `the plan dated`."""
_SIGNATURE_LINE = re.compile(r"^\W*(?:date|signed|name|by|title)\b", re.IGNORECASE)


def effective_dates(source: Source) -> Sequence[Candidate]:
    """Dates from which the agreement holds: said so, named "Effective Date", or else the day it was made, as its
    opening says it."""
    text = source.flowed
    start, end = opening(source)
    found: list[Candidate] = []
    for day in source.read(dates):
        before = re.split(r"[.;]\s|\n\s*\n|\f", text[max(0, day.start - 130) : day.start])[-1]
        after = text[day.end : day.end + 90]
        said, ends = _last(_IN_FORCE, before), _ENDS.search(before)
        cue = 0.0
        if _NAMED_EFFECTIVE.match(after):
            cue = 0.93
        elif (ends and (said is None or ends.start() >= said)) or _OTHER_DATED.search(before):
            cue = 0.0
        elif (
            (said is not None and len(before) - said < 70)
            or _BEGINS_THEN.match(after)
            or (_SINCE.search(before) and _BINDS.match(after))
        ):
            cue = 0.9
        elif (start <= day.start < end or day.start < _TITLE_CHARS) and _MADE.search(before[-70:]):
            cue = 0.78
        elif day.start < min(end, _TITLE_CHARS) and _alone(source, day):
            cue = 0.5
        if cue:
            found.append(Candidate(day.value, day.start, day.end, cue))
    return found


def _last(pattern: re.Pattern[str], text: str) -> int | None:
    ends = [match.end() for match in pattern.finditer(text)]
    return ends[-1] if ends else None


def _alone(source: Source, day: Candidate) -> bool:
    line = source.lines[source.line_number(day.start)]
    rest = source.text[line.start : day.start] + source.text[day.end : line.end]
    return not _SIGNATURE_LINE.match(rest) and not re.search(r"\w{3}", rest)
