"""Values that are known by their words or their place: payment methods, channels, titles, dates of letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from tools.extraction.readers.dates import dates
from tools.extraction.readers.letterheads import letterhead
from tools.extraction.readers.names import organisations
from tools.extraction.readers.places import addresses
from tools.extraction.readers.source import Candidate, Source

_PAYMENT = re.compile(
    r"(?<!\w)(?:cash(?!\s*(?:&|and|bill|sales?|memo|back|flow))|visa|master\s?card|amex|american express|maestro|"
    r"paypal|apple pay|google pay|"
    r"credit card|debit card|bank transfer|wire transfer|direct debit|cheque|e-wallet|"
    r"girocard|ec-karte|carte (?:bancaire|bleue)|kartenzahlung|efectivo|contanti|espèces|"
    r"(?:bar|cb|card|karte|carte|tarjeta|chèque)(?=\s*:?\s*(?:(?:EUR|USD|GBP|R|RM|€|£|[$])\s?)?\d+[.,]\d\d(?!\d)))(?!\w)",
    re.IGNORECASE,
)
_CHANNEL = re.compile(
    r"(?<!\w)(?:card[- ]not[- ]present|card[- ]present|contactless|chip and pin|chip|online|e-?commerce|"
    r"point[- ]of[- ]sale|pos|atm|in[- ]store|"
    r"mail order|telephone order|moto|mobile app|mobile|web|magstripe)(?!\w)",
    re.IGNORECASE,
)
_TITLE = re.compile(
    r"\b(?:agreement|c[o0]ntract|memorandum|lease|licen[cs]e|terms|policy|report|addendum|deed|statement\s+of\s+work|contrato?|contratto|"
    r"overeenkomst|umowa)\b|vertrag\b",
    re.IGNORECASE,
)
_NOT_TITLE = re.compile(
    r"\W*(?:(?:(?:the\s+)?(?:parties|undersigned)|between|preamble|recitals?|annex|appendix|end\s+of|page|summary\s+of\s+terms)\b.*|"
    r"(?:contract|agreement|lease|deed)\s+(?:no|nr|number|data|particulars|details|date|ref\w*|sheet|value|price|essentials|overview|outline|"
    r"summary|facts)\b.*|(?:key|main|agreed|commercial|deal|special)\s+terms\W*)",
    re.IGNORECASE,
)
"""Lines that a contract has besides its title."""
_TITLE_LINES = 12
_LETTER_TOP = 18
_ISSUER_LINE = 0.44
"""A line without a legal form is the issuer's name only at the very top, or with a word that companies have."""
_RECIPIENT_LINES = 30
_OTHER_NAME, _TITLED_CUE = 0.46, 0.5
_TITLED_PERSON = re.compile(
    r"\s*(?P<name>(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herrn?|Frau|Mme|Sra?)\.?(?:[ ][A-ZÀ-Þ][\w.'’-]*){1,4})\s*"
)
_LETTER_DATE_LINE = re.compile(
    r"\W*(?:(?:date|dated|sent|written)(?:\s+(?:of|on)(?:\s+(?:the\s+|this\s+)?letter)?)?\W*|"
    r"[A-Z][\w .-]{1,28},\s*(?:the\s)?)?\W*(?:(?:at\s+)?\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?:\s*[ap]\.?m\b)?)?\W*",
    re.IGNORECASE,
)


def payment_methods(source: Source) -> Sequence[Candidate]:
    """Words for ways to pay."""
    return [Candidate(m.group(), m.start(), m.end(), 0.62) for m in _PAYMENT.finditer(source.text)]


def channels(source: Source) -> Sequence[Candidate]:
    """Words for how a card was used."""
    return [Candidate(m.group(), m.start(), m.end(), 0.62) for m in _CHANNEL.finditer(source.text)]


def titles(source: Source) -> Sequence[Candidate]:
    """Short lines at the top that name the kind of document."""
    found: list[Candidate] = []
    filled = [line for line in source.lines[:40] if line.text.strip()][:_TITLE_LINES]
    for position, line in enumerate(filled):
        text = line.text.split(" | ")[0].strip(" \t*#=-_")
        if 3 <= len(text) <= 90 and _TITLE.search(text) and not _NOT_TITLE.fullmatch(text) and _is_heading(text):
            start = line.start + line.text.index(text)
            found.append(Candidate(text, start, start + len(text), 0.8 - 0.03 * position))
    return found


def _is_heading(text: str) -> bool:
    """Written like a title: no sentence, no clause number, its longer words in capitals."""
    long_words = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) > 3]
    capital = sum(word[0].isupper() for word in long_words)
    sentence = text.endswith((".", ";", ",")) or text[0].islower() or re.search(r":|[a-z]{3}[.;] ", text)
    sentence = sentence or re.search(r"[\"“]|\b(?:the|an?|and|of|by|with|between)$", text)
    sentence = sentence or re.match(r"\(?\d|(?:this|whereas|by and)\b", text, re.IGNORECASE)
    sentence = sentence or re.search(r"\b(?:shall|will|may|must|is|are|has|have|parties)\b", text, re.IGNORECASE)
    return not sentence and 2 * capital > len(long_words)


def letter_dates(source: Source) -> Sequence[Candidate]:
    """Dates that fill a line near the top of a letter, also after a place ("Lyon, 3 May 2026")."""
    found: list[Candidate] = []
    for day in source.read(dates):
        number = source.line_number(day.start)
        line = source.lines[number]
        rest = (
            source.text[max(line.start, day.start - 60) : day.start]
            + source.text[day.end : min(line.end, day.end + 60)]
        )
        alone = _LETTER_DATE_LINE.fullmatch(rest) is not None and not _is_labelled_above(source, number)
        found.append(Candidate(day.value, day.start, day.end, 0.85 if alone and number < _LETTER_TOP else 0.0))
    return found


def _is_labelled_above(source: Source, number: int) -> bool:
    """The line above is a label of its own: what stands here is its value."""
    above = source.lines[number - 1].text.strip() if number else ""
    return above.endswith(":") and not re.fullmatch(
        r"(?:date|date of (?:the |this )?letter|sent|dated)\W*", above, re.IGNORECASE
    )


def issuers(source: Source) -> Sequence[Candidate]:
    """Who may have issued the document: names with a legal form near the top first, then other lines there."""
    named = [
        Candidate(found.value, found.start, found.end, max(0.1, 0.66 - 0.05 * source.line_number(found.start)))
        for found in source.read(organisations)
        if source.line_number(found.start) < 12
    ]
    return [*named, *(line for line in source.read(letterhead) if line.cue >= _ISSUER_LINE)]


def recipients(source: Source) -> Sequence[Candidate]:
    """Who may be written to without a label: the other one of two organisations near the top, or a person with a title
    above an address."""
    named = {_letters(one): one for one in source.read(organisations) if _opens_line(source, one)}
    issuer = max(issuers(source), key=lambda one: one.cue, default=None)
    others = [one for one in named.values() if issuer and not (one.start < issuer.end and issuer.start < one.end)]
    found = [replace(others[0], cue=_OTHER_NAME)] if len(named) == 2 and len(others) == 1 else []
    starts = {one.start for one in source.read(addresses)}
    for line, below in pairwise(source.lines[:_RECIPIENT_LINES]):
        person = _TITLED_PERSON.fullmatch(line.text)
        if person and below.start + len(below.text) - len(below.text.lstrip()) in starts:
            start = line.start + person.start("name")
            found.append(Candidate(person["name"], start, start + len(person["name"]), _TITLED_CUE))
    return found


def _opens_line(source: Source, name: Candidate) -> bool:
    """Nothing stands before it on its line, which is near the top."""
    number = source.line_number(name.start)
    return number < _RECIPIENT_LINES and not source.text[source.lines[number].start : name.start].strip()


def _letters(name: Candidate) -> str:
    return re.sub(r"\W", "", str(name.value)).lower()
