"""For how long an agreement holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.extraction.readers.durations import durations
from tools.extraction.readers.source import Candidate, Source

_TERM_WORD = re.compile(
    r"\b(?:initial|original|primary|fixed|entire)?\s*(?:term|duration|period\s+of\s+validity)\b(?!\s*(?:sheet|loan|s\b))",
    re.IGNORECASE,
)
_RUNS = re.compile(
    r"\b(?:remain|continue|be|stay)s?\s+(?:\w+\s+){0,2}in\s+(?:full\s+)?(?:force|effect)|\bvalid\b|\bcontinues?\b|\bruns?\b|\bexpires?\b|"
    r"\bshall\s+last\b|\blasts?\s+for\b|\bperiod\s+of\b|\bis\s+(?:concluded|entered\s+into|made)\s+for\b|\bin\s+(?:force|effect)\b|\bbinding\s+for\b",
    re.IGNORECASE,
)
_HOLDS_FOR = re.compile(
    r"\b(?:in\s+(?:full\s+)?(?:force|effect)(?:\s+and\s+effect)?|valid|runs?|running|lasts?|continues?|concluded|made|entered\s+into|"
    r"binding|agreed|fixed)\s+(?:for|during|at)\s+(?:an?\s+|the\s+)?(?:(?:fixed|definite|initial|minimum|total|limited)\s+)?"
    r"(?:(?:period|term|time|duration)\s+(?:of\s+)?)?\(?$",
    re.IGNORECASE,
)
_EXPIRES = re.compile(r"\b(?:ends?|expires?|lapses?|terminates?)\s+(?:\w+\s+){0,2}\(?$", re.IGNORECASE)
_ONCE_BEGUN = re.compile(
    r"\W*(?:after|from)\s+(?:it|its|the|having)\s+(?:\w+\s+){0,2}(?:start|beg[iu]n|commenc|effective|signature|signing)",
    re.IGNORECASE,
)
_ABOUT_ITSELF = re.compile(
    r"\b(?:this|the|present)\s+(?:\w+\s+){0,2}(?:agreement|contract|lease|licen[cs]e)\b|\bterm\b|\bhereof\b",
    re.IGNORECASE,
)
_NOT_TERM = re.compile(
    r"\bnotice\b|\bwarrant|confidential|secre[ct]|\bthereafter\b|\brenew|\bextend|\bsuccessive|\badditional|\bfurther\b|\binvoice|\bpay(?:able|ment|s)?\b|"
    r"\bcure\b|\bsurviv|after\s+(?:the\s+)?(?:end|expiry|expiration|termination)|\bprior\s+to|\bretain|\brecords?\b|\bkept\b|\bforce\s+majeure|\boverdue|"
    r"\bdeliver|non-?compet|\bpreceding\b|\bprevious\b|\bper\b|\bold\b|\bbefore\b|\bfollowing\s+termination|\bdamages?\b|\bclaims?\b|\bsilence",
    re.IGNORECASE,
)


def terms(source: Source) -> Sequence[Candidate]:
    """How long the agreement runs, told from times of notice, warranty, payment or renewal by the clause."""
    text = source.flowed
    found: list[Candidate] = []
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
        told += 0.2 * min(2, len(_RUNS.findall(before))) + 0.12 * bool(_ABOUT_ITSELF.search(before + after))
        told += 0.1 * bool(re.match(r"[^.]{0,12}\b(?:from|after|commencing|beginning|following|as\s+of)\b", after))
        told -= 0.15 * str(duration.value).endswith(("days", "day", "hours", "minutes", "weeks"))
        if told >= 0.3:
            found.append(Candidate(duration.value, duration.start, duration.end, min(0.92, 0.42 + told)))
    return found
