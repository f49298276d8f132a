"""For how long an agreement holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tools.extraction.readers.durations import durations
from tools.extraction.readers.misread import misreadable
from tools.extraction.readers.source import Candidate, Source

_TERM_WORD = re.compile(
    misreadable(
        r"\b(?:initial|original|primary|fixed|entire)?\s*(?:term|duration|(?:period\s+of\s+)?validity|fixed\s+life)\b"
    )
    + r"(?!\s*(?:sheet|loan|s\b))",
    re.IGNORECASE,
)
_RUNS = re.compile(
    misreadable(
        r"\b(?:remain|continue|be|stay)s?\s+(?:\w+\s+){0,2}in\s+(?:full\s+)?(?:force|effect)|\bvalid\b|\bcontinues?\b|\bruns?\b|"
        r"\bexpires?\b|\bshall\s+last\b|\blasts?\s+for\b|\bperiod\s+of\b|\bis\s+(?:concluded|entered\s+into|made)\s+for\b|"
        r"\bin\s+(?:force|effect)\b|\bbinding\s+for\b"
    ),
    re.IGNORECASE,
)
_HOLDS_FOR = re.compile(
    misreadable(
        r"(?:\b(?:in\s+(?:full\s+)?(?:force|effect)(?:\s+and\s+effect)?|valid|runs?|running|lasts?|continues?|concluded|made|"
        r"entered\s+into|binding|agreed|fixed|appointed|engaged|employed|retained|granted|hired|leased|rented|"
        r"(?:bind|oblige|commit)s?(?:\s+themselves|\s+itself)?|(?:obliged|committed|bound)|"
        r"(?:appointment|engagement|employment|licen[cs]e|lease|contract|agreement|tenancy|mandate)\s+(?:is|shall\s+be|will\s+be))"
        r"\s+(?:for|during|at)|\b(?:minimum|initial|fixed)\s+term\s+(?:is|of|shall\s+be))"
        r"\s+(?:an?\s+|the\s+)?(?:(?:fixed|definite|initial|minimum|total|limited)\s+)?"
        r"(?:(?:period|term|time|duration)\s+(?:of\s+)?)?\(?$"
    ),
    re.IGNORECASE,
)
_EXPIRES = re.compile(misreadable(r"\b(?:ends?|expires?|lapses?|terminates?)\s+(?:\w+\s+){0,2}\(?$"), re.IGNORECASE)
_ONCE_BEGUN = re.compile(
    r"\W*(?:after|from)\s+(?:it|its|the|having)\s+(?:\w+\s+){0,2}(?:start|beg[iu]n|commenc|effective|signature|signing|execution|date)",
    re.IGNORECASE,
)
_FOR = re.compile(r"(?<!\band)\s+(?:for|spans?)\s+(?:an?\s+)?(?:(?:period|time)\s+of\s+)?\(?$", re.IGNORECASE)
_LIMITED = re.compile(r"\b(?:limited\s+to|spans?|tied\s+(?:\w+\s+){0,4}for)\s+\(?$", re.IGNORECASE)
_IS_ITS_TERM = re.compile(r"\W*(?:shall\s+be|is|are)\s+(?:its|the|their)\s+(?:term|duration)\b", re.IGNORECASE)
_COMES_TO_END = re.compile(
    r"\W*(?:this|the)\s+(?:\w+\s+)?(?:agreement|contract|lease|licen[cs]e)\s+(?:comes\s+to\s+an\s+end|ends|expires|lapses|terminates)\b",
    re.IGNORECASE,
)
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_ANNIVERSARY = re.compile(
    rf"\b(?:expires?|ends?|terminates?|until|through|up\s+to|ending|expiring)\s+(?:automatically\s+)?(?:on\s+)?(?:the\s+)?"
    rf"(?P<term>(?P<ordinal>{'|'.join(_ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th))(?:\s+\(\d{{1,2}}(?:st|nd|rd|th)\))?\s+anniversary)",
    re.IGNORECASE,
)
_ANNIVERSARY_CUE = 0.8
_ABOUT_ITSELF = re.compile(
    misreadable(
        r"\b(?:this|the|present)\s+(?:\w+\s+){0,2}(?:agreement|contract|lease|licen[cs]e|deal|arrangement|cooperation|relationship|partnership|mandate|engagement)\b|\bterm\b|\bhereof\b"
    ),
    re.IGNORECASE,
)
_NOT_TERM = re.compile(
    r"\bnotice\b|\bwarrant|confidential|secre[ct]|\bthereafter\b|\brenew|\bextend|\bsuccessive|\badditional|\bfurther\b|\binvoice|\bpay(?:able|ment|s)?\b|"
    r"\bcure\b|\bsurviv|after\s+(?:the\s+)?(?:end|expiry|expiration|termination)|\bprior\s+to|\bretain|\brecords?\b|\bkept\b|\bforce\s+majeure|\boverdue|"
    r"\bdeliver|\binterest\b|\bstored\b|\bguarantee\b|\baudit|non-?compet|\bpreceding\b|\bprevious\b|\bper\b|\bold\b|\bbefore\b|\bsolicit|\bhire\b|\blent\b|\bhas\s+sold\b|\bfollowing\s+termination|\bdamages?\b|\bclaims?\b|\bsilence",
    re.IGNORECASE,
)


def terms(source: Source) -> Sequence[Candidate]:
    """How long the agreement runs, told from times of notice, warranty, payment or renewal by the clause."""
    text = source.flowed
    found = [*_anniversaries(text)]
    for duration in source.read(durations):
        before = re.split(
            r"[.;]\s(?=[A-Z(\d])|\n\s*\n|\n\s*(?=\(?\d{1,2}[.)])|\f",
            text[max(0, duration.start - 260) : duration.start],
        )[-1]
        after = re.split(
            r"[.;]|\n\s*\n|,\s+(?:and\s+)?(?:(?:shall|will|may)\s+)?(?:unless|thereafter|provided|with|renew|if)",
            text[duration.end : duration.end + 120],
        )[0]
        clause = re.split(r",\s+(?:and\s+)?(?:which|unless|provided)\b", before)[-1] if len(before) > 160 else before
        if _NOT_TERM.search(clause[-110:]) or _NOT_TERM.search(after[:45]):
            continue
        told = 0.3 * bool(_HOLDS_FOR.search(before) or (_EXPIRES.search(before) and _ONCE_BEGUN.match(after)))
        told += 0.3 * bool(
            _TERM_WORD.search(before) or _TERM_WORD.match(after[:14].lstrip(" -")) or re.match(r"\W*term\b", after)
        )
        told += 0.25 * bool(_FOR.search(before)) + 0.3 * bool(_LIMITED.search(before))
        told += 0.3 * bool(_IS_ITS_TERM.match(after))
        told += 0.3 * bool(_COMES_TO_END.match(after) and re.search(r"\bafter\s+\(?$", before, re.IGNORECASE))
        told += 0.2 * min(2, len(_RUNS.findall(before))) + 0.12 * bool(_ABOUT_ITSELF.search(before + after))
        told += 0.1 * bool(re.match(r"[^.]{0,12}\b(?:from|after|commencing|beginning|following|as\s+of)\b", after))
        told -= 0.15 * str(duration.value).endswith(("days", "day", "hours", "minutes", "weeks"))
        if told >= 0.3:
            found.append(Candidate(duration.value, duration.start, duration.end, min(0.92, 0.42 + told)))
    return found


def _anniversaries(text: str) -> Iterator[Candidate]:
    """`expires on the third anniversary of ...`: three years."""
    for match in _ANNIVERSARY.finditer(text):
        ordinal = match["ordinal"].lower()
        years = _ORDINALS.index(ordinal) + 1 if ordinal in _ORDINALS else int(re.sub(r"\D", "", ordinal))
        if years:
            value = f"{years} year{'s' if years > 1 else ''}"
            yield Candidate(value, match.start("term"), match.end("term"), _ANNIVERSARY_CUE)
