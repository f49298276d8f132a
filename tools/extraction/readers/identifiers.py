"""Identifiers: IBANs, card numbers, reference numbers, e-mail addresses, telephone numbers and links."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stdnum import iban as iban_number
from stdnum import luhn

from tools.extraction.readers.dates import dates
from tools.extraction.readers.source import Candidate, Source

_BREAK = r"(?:[ \u00a0]|[ \t]*\n[ \t]*)?"
_IBAN = re.compile(rf"\b(?!RF)[A-Z]{{2}}\d{{2}}(?:{_BREAK}[A-Z0-9]{{4}}){{2,7}}(?:{_BREAK}[A-Z0-9]{{1,3}})?\b")
_CREDITOR_ID = re.compile(r"[A-Z]{2}\d{2}ZZZ\d")
"""SEPA's identifier of a creditor; like a creditor's reference (RF...) it looks like an IBAN."""
_CREDITOR_REFERENCE = re.compile(r"RF\d\d(?: ?[A-Z0-9]{4}){2,5}(?: ?[A-Z0-9]{1,3}(?!\w))?")
_LAST4 = re.compile(
    r"(?:end(?:ing|s|ed)?\s+(?:in|with|on)|ending|last\s+(?:four|4)(?:\s+digits)?(?:\s+(?:are|is|of\s+\w+))?|"
    r"[*xX•·#]{2,}(?:[ -]?[*xX•·#]{2,})*)"
    r"\s?[:#(-]?\s?(?P<last4>\d{4})(?!\d)",
    re.IGNORECASE,
)
_PAN = re.compile(r"(?<![\d-])\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?(?P<last4>\d{4})(?![\d-])")
_REFERENCE = re.compile(r"(?<![\w/.-])(?=[A-Za-z/_.#-]{0,12}\d)[A-Za-z0-9][A-Za-z0-9/_.#-]{1,38}[A-Za-z0-9](?![\w@])")
_MONEY = re.compile(r"[A-Z]{0,3}[\d.,]*\d[.,]\d\d")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_PHONE = re.compile(r"(?<![\w-])\+?\(?\d[\d ()./-]{6,18}\d(?![\w-])")
_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"')]{3,200}", re.IGNORECASE)


def ibans(source: Source) -> Sequence[Candidate]:
    """IBANs without spaces whose check digits are right."""
    return [found for found in iban_like(source) if iban_number.is_valid(str(found.value))]


def iban_like(source: Source) -> Sequence[Candidate]:
    """Everything that has the form of an IBAN, right or wrong; the longest valid reading of a run of groups wins, which
    may go on in the next line."""
    found: list[Candidate] = []
    for match in _IBAN.finditer(source.text):
        start, end = match.span()
        whole = source.text[start:end]
        if _CREDITOR_ID.match(whole):
            continue
        cuts = [len(whole), *(m.start() for m in reversed(list(re.finditer(r"\s+", whole))))]
        line = whole.split("\n")[0].rstrip()
        valid = next((cut for cut in cuts if iban_number.is_valid(re.sub(r"\s", "", whole[:cut]))), len(line))
        found.append(Candidate(re.sub(r"\s", "", whole[:valid]), start, start + valid, 0.9))
    return found


def card_last4(source: Source) -> Sequence[Candidate]:
    """The last four digits of card numbers, masked or written out (the latter only with a right check digit)."""
    masked = [Candidate(m["last4"], m.start("last4"), m.end("last4"), 0.85) for m in _LAST4.finditer(source.text)]
    full = [
        Candidate(m["last4"], m.start("last4"), m.end("last4"), 0.8)
        for m in _PAN.finditer(source.text)
        if luhn.is_valid(re.sub(r"\D", "", m.group()))
    ]
    return [*masked, *full]


def references(source: Source) -> Sequence[Candidate]:
    """Codes with at least one digit, as invoice or transaction numbers are; dates and amounts are left out."""
    taken = {position for day in source.read(dates) for position in (day.start, day.end - 1)}
    taken |= {place for one in _CREDITOR_REFERENCE.finditer(source.text) for place in range(*one.span())}
    return [
        Candidate(match.group(), match.start(), match.end())
        for match in _REFERENCE.finditer(source.text)
        if match.start() not in taken and match.end() - 1 not in taken and not _MONEY.fullmatch(match.group())
    ]


def emails(source: Source) -> Sequence[Candidate]:
    """E-mail addresses."""
    return [
        Candidate(m.group().rstrip("."), m.start(), m.start() + len(m.group().rstrip(".")), 0.5)
        for m in _EMAIL.finditer(source.text)
    ]


def phones(source: Source) -> Sequence[Candidate]:
    """Telephone numbers as they are written."""
    taken = {day.start for day in source.read(dates)}
    return [Candidate(m.group(), m.start(), m.end()) for m in _PHONE.finditer(source.text) if m.start() not in taken]


def urls(source: Source) -> Sequence[Candidate]:
    """Web addresses."""
    return [
        Candidate(m.group().rstrip(".,"), m.start(), m.start() + len(m.group().rstrip(".,")), 0.5)
        for m in _URL.finditer(source.text)
    ]
