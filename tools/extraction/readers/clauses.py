"""Clauses of contracts and sentences of complaints, found by the wording that introduces them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.extraction.readers.durations import durations
from tools.extraction.readers.misread import misreadable
from tools.extraction.readers.source import Candidate, Source

_RENEWAL = re.compile(
    misreadable(
        r"(?P<clause>(?:automatically\s+(?:be\s+)?(?:renew|extend)\w*|(?:renews?|renewed|extended|renewable)\b)"
    )
    + r"[^.;\n]*(?:\n[^.;\n]+){0,2})",
    re.IGNORECASE,
)
_CAP = re.compile(
    misreadable(
        r"(?:(?:aggregate|total|entire|maximum|cumulative)\s+(?:and\s+\w+\s+)?liability|liability\s+(?:cap|of\s+(?:either|each)\s+party)|liabilit\w+|"
        r"\bliable\b|\bmaximum\s+amount)"
    )
    + r"[^.;]{0,200}?"
    + misreadable(
        r"\b(?:exceed|limited(?:,[^.;]{0,40}?,|\s+in\s+\w+)?\s+to(?:\s+a\s+maximum\s+of)?|capped\s+at|more\s+than|greater\s+than|"
        r"(?:owed?|pay(?:able)?)\b[^.;]{0,40}?\bis)"
    )
    + r"\s*(?P<cap>[^.;]{1,160}(?:\.\d\d[^.;]{0,120})?)",
    re.IGNORECASE,
)
_NOTICE = re.compile(r"n[o0]ti[ce]{2}", re.IGNORECASE)
_NOTICE_BEFORE = re.compile(rf"{_NOTICE.pattern}(?:\s+period)?(?:\s+of(?:\s+at\s+least)?)?\s+\(?$", re.IGNORECASE)
_NOTICE_LABEL = re.compile(r"(?:^|\n|\|)\W*notice\b[^.:|\n]{0,20}[:|]\s*(?:\S+\s+){0,3}$", re.IGNORECASE)
_ENDING = re.compile(
    misreadable(
        r"terminat|\bcancel|\bwithdraw|\brescind|\bend(?:s|ed|ing)?\s+(?:the|this|it)\b|\bbe\s+ended\b|\bgive\s+up\b|\bresign|\bquit\b"
    ),
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?\n\f][^.!?\n\f]*(?:(?:\.(?=\S)|\n(?![ \t]*\n))[^.!?\n\f]+){0,8}[.!?]?")
_MAX_SENTENCE = 400
_HEADING = re.compile(r"\s*(?:#|re:|subject:|betreff:)", re.IGNORECASE)
_REASON = re.compile(
    r"did(?:\s+not|n't|n’t)\s+(?:make|authori[sz]e|recogni[sz]e|receive|place|order|approve)|unauthori[sz]ed|do(?:\s+not|n't|n’t)\s+recogni[sz]e|never\s+(?:received|arrived|been|used|bought|shopped|heard|"
    r"authori[sz]ed|made|ordered|delivered|visited)|charged\s+(?:me\s+)?twice|double|duplicate|defective|damaged|faulty|not\s+as\s+described|wrong\s+(?:amount|item)|cancel+ed|"
    r"(?:higher|more)\s+than\s+(?:what\s+)?(?:I|we|agreed|ordered|the)|nobody\s+else|not\s+(?:mine|by\s+me)|refuses?|broken|missing|"
    r"overcharged|incorrect\s+amount|fraudulent|stolen|lost\s+(?:my\s+)?card|because|"
    r"not\s+been\s+(?:delivered|credited|refunded)|\btwice\b|only\s+once|no\s+(?:money|cash|goods)|(?:never|not)\s+(?:\w+\s+)?(?:delivered|arrived?|dispensed?|pay\s+out|paid\s+out)",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"\b(?:i|we)\s+(?:\w+\s+)?(?:request|ask|demand|would\s+like|want|expect)\b|\b(?:could|can|would)\s+you\b|\bplease\s+(?:\w+\s+)?(?:refund|reverse|credit|cancel|block|investigate|issue|return|remove|reimburse|replace|"
    r"confirm|send|open|raise)|\bkindly\b|refund\s+(?:of\s+)?(?:the\s+)?(?:full\s+)?amount|\bchargeback\b",
    re.IGNORECASE,
)


def renewals(source: Source) -> Sequence[Candidate]:
    """What happens at the end of the term, from the verb on ("renews automatically for ...")."""
    return [
        _clause(source, match, "clause", 0.8 if re.match("auto", match["clause"], re.IGNORECASE) else 0.6)
        for match in _RENEWAL.finditer(source.text)
    ]


def liability_caps(source: Source) -> Sequence[Candidate]:
    """What liability is limited to, an amount or a formula."""
    return [_clause(source, match, "cap", 0.85) for match in _CAP.finditer(source.text)]


def _clause(source: Source, match: re.Match[str], group: str, cue: float) -> Candidate:
    text = re.sub(r"[\s,]+$", "", match[group])
    return Candidate(" ".join(text.split()), match.start(group), match.start(group) + len(text), cue)


def notices(source: Source) -> Sequence[Candidate]:
    """Durations of notice in the sentences about termination, the first one surest."""
    found: list[Candidate] = []
    for duration in source.read(durations):
        before, after = _around(source, duration)
        sentence = before + after
        if _NOTICE_LABEL.search(before) or (_ENDING.search(sentence) and _NOTICE.search(sentence)):
            cue = (
                0.88
                if re.search(
                    rf"^[^.]{{0,30}}{_NOTICE.pattern}", source.text[duration.end : duration.end + 40], re.IGNORECASE
                )
                or _NOTICE_BEFORE.search(source.text[max(0, duration.start - 40) : duration.start])
                else 0.6
            )
            found.append(Candidate(duration.value, duration.start, duration.end, max(0.3, cue - 0.03 * len(found))))
    return found


def _around(source: Source, found: Candidate) -> tuple[str, str]:
    """What its sentence says before it, and after."""
    before = source.text[max(0, found.start - 250) : found.start]
    after = source.text[found.end : found.end + 150]
    return re.split(r"\.\s|\n\s*\n", before)[-1], re.split(r"\.\s|\n\s*\n", after)[0]


def _sentences(source: Source, cue_words: re.Pattern[str]) -> list[Candidate]:
    found: list[Candidate] = []
    for match in _SENTENCE.finditer(source.text):
        text = match.group().strip()
        if len(text) <= _MAX_SENTENCE and (cues := cue_words.findall(text)):
            start = match.start() + len(match.group()) - len(match.group().lstrip())
            value = " ".join(text.split())
            heading = _HEADING.match(text)
            found.append(
                Candidate(value, start, start + len(text), 0.35 if heading else min(0.75, 0.55 + 0.1 * len(cues)))
            )
    return found


def reasons(source: Source) -> Sequence[Candidate]:
    """Sentences that say why a payment is disputed."""
    return _sentences(source, _REASON)


def requests(source: Source) -> Sequence[Candidate]:
    """Sentences that ask for something to be done."""
    return _sentences(source, _REQUEST)
