"""Names: organisations, people and merchants."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.extraction.readers.dates import MONTHS
from tools.extraction.readers.source import Candidate, Source

_FORMS = (
    r"Pty\.? Ltd|Pty\.? Limited|Pte\.?,? Ltd|Pvt\.? Ltd|Private Limited|Sdn\.? Bhd|Co\.?,? Ltd|Co\.?,? Limited|"
    r"GmbH & Co\.? KG|Ltd|Limited|LLC|L\.L\.C|LLP|L\.L\.P|L\.P|LP|PLC|Inc|Incorporated|Corp|Corporation|"
    r"GmbH|AG|KG|SE|S\.A|SA|SAS|SARL|S\.[àa] ?r\.l|"
    r"S\.r\.l|SpA|S\.p\.A|B\.V|BV|N\.V|NV|AB|A/S|ApS|Oy|OYJ|AS|ASA|Bhd|Kft|s\.r\.o|spol\. s r\.o|Lda|Ltda|N\.A|DAC"
    r"|P\.C|Co|Company|"
    r"S\.A\.S|S\.A\.R\.L|S\.L\.U|S\.L|S\.C|Sendirian Berhad|Berhad|PLT|"
    r"Sp\. z o\.o|a\.s|d\.o\.o|d\.d|K\.K|K\.G|e\.V|KGaA|Zrt|Nyrt|UAB|SIA"
    r"|S\.A\. de C\.V"
).replace(" ", r"\s")
FORM = rf"{_FORMS}|{_FORMS.upper().replace(chr(92) + 'S', chr(92) + 's')}|plc"
"""Legal forms of companies, a regular expression; what may follow one is no longer the name."""
FORM_OPENING = r"(?i:Pte|Pvt|Pty|Sdn|spol)\."
"""Words with a full stop that a legal form begins with."""
SUFFIX = (
    r"GmbH\s&\sCo|GMBH\s&\sCO|Ltd|Limited|LLC|L\.L\.C|LLP|PLC|plc|Inc|Incorporated|Corp|Corporation|Co|Company|GmbH|AG|KG|SE|S\.A\.?|SAS|SARL|S\.r\.l|SpA|S\.p\.A|B\.V|BV|"
    r"Berhad|BERHAD|PLT|N\.V|NV|AB|A/S|ApS|Oy|AS|ASA|Pty|Pte|Pvt|PTY|PTE|PVT|Sdn|Bhd|S/B|BHD|SDN|Kft|s\.r\.o|Lda|Ltda|LTD|LIMITED|INC|CORP|GMBH|APS|OY|"
    r"S\.A\.S|SARL|S\.A\.R\.L|S\.L|Sp\.\sz\so\.o|SP\.\sZ\sO\.O|S\.R\.O|a\.s|A\.S|d\.o\.o|D\.O\.O|K\.K|L\.P|e\.V|KGaA|Zrt|UAB|SIA|Foundation|Trust|Bank|University|Association"
)
_SUFFIXED = re.compile(
    rf"(?<![\w&])(?P<name>[A-Z][\w&'’.-]*(?:[ ,]{{1,2}}(?:&|and|of|the|de|"
    rf"[A-Z(][\w&'’.()-]*)){{0,6}}?[ ,]{{1,2}}(?:(?:{SUFFIX})\b\.?[ ,]{{0,2}}){{1,3}})"
)
# A full stop belongs to a name only inside it or after an initial or a short title.
_CAP = r"(?:(?:[A-Z]|St|Dr|Mr|Mrs|Ms|Co|Inc|Ltd)\.(?=\s)|[A-Z][\w'’&-]*(?:\.[\w'’&-]+)*)"
_MERCHANT = re.compile(
    rf"\b(?P<cue>at|from|with|by|to|merchant|retailer|shop|store|seller|called|vendor)\s+(?:the\s+(?:(?:merchant|retailer|shop|store)\s+)?)?"
    rf"[\"“']?(?P<name>{_CAP}(?:[ \t](?:{_CAP}|&|and|of|de|\d{{1,4}})){{0,4}})"
)
_CHARGER = re.compile(
    rf"(?P<name>{_CAP}(?:[ \t](?:{_CAP}|&|and|of|de)){{0,4}})[ \t]+"
    rf"(?:has[ \t]+|have[ \t]+)?(?:charged|took|debited|billed|deducted)\b"
)
_CHARGER_CUE = 0.6
_PURCHASE = re.compile(
    r"charge|transaction|purchase|payment|paid|spent|bought|order|debit|billed|merchant|deducted|withdr[ae]w|subscription|"
    r"taken\s+(?:from|off)|bezahlt|achat",
    re.IGNORECASE,
)
_PERSON = r"(?:[A-ZÀ-Þ][\w'’-]*\.?[ \t]){1,3}[A-ZÀ-Þ][\w'’-]+"
_CLOSING = (
    "sincerely|regards|faithfully|truly|best wishes|respectfully|many thanks|thank you|thanks|yours|cheers|"
    "cordialement|grüßen|saludos|atentamente"
)
_SIGNATURE = re.compile(rf"(?i:{_CLOSING})[,.!]?[ \t]*(?:\n[ \t]*){{1,3}}(?P<name>{_PERSON})[ \t]*(?=\n|\f|$)")
_INTRODUCED = re.compile(rf"(?:\b[Mm]y name is|\bI am|\bI,|\bI'm)\s+(?P<name>{_PERSON})")
_TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Herr|Frau|Mme|Sr|Sra)\.?\s+(?P<name>(?:[A-Z][\w'’-]+\s)?[A-Z][\w'’-]+)")
_NOT_A_NAME = frozenset(
    {
        *MONTHS,
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "customer",
        "card",
        "your",
        "you",
        "my",
        "me",
        "i",
        "they",
        "it",
        "he",
        "she",
        "we",
        "bank",
        "date",
        "on",
        "in",
        "then",
        "yesterday",
        "today",
    }
)
_CUE_STRENGTH = {
    "at": 0.5,
    "from": 0.4,
    "merchant": 0.6,
    "retailer": 0.6,
    "shop": 0.5,
    "store": 0.5,
    "seller": 0.6,
    "called": 0.5,
    "vendor": 0.6,
}


_NOT_NAME = re.compile(
    r"(?:We|You|Us|I),\s|(?:[A-Z\d]+\s)*(?:THAT|BY|WITH|BETWEEN|IS|THIS|IT|BE|KNOWN|MADE|INSTRUMENT|DEED|INDENTURE)\s(?=[A-Z])"
)
"""Words of a sentence before the name that it goes on with."""


def _trimmed(name: str) -> str:
    return re.sub(r"[\s,]+$", "", name)


def organisations(source: Source) -> Sequence[Candidate]:
    """Capitalised names that end in a legal form (`Ltd`, `GmbH`, `Sdn Bhd`, ...)."""
    found: list[Candidate] = []
    for match in _SUFFIXED.finditer(source.text):
        lead = _NOT_NAME.match(match["name"])
        start = match.start("name") + (lead.end() if lead else 0)
        name = _trimmed(source.text[start : match.end("name")])
        found.append(Candidate(name, start, start + len(name), 0.3))
    return found


def people(source: Source) -> Sequence[Candidate]:
    """People's names after closings of letters, introductions and titles."""
    found: list[Candidate] = []
    for pattern, cue in ((_SIGNATURE, 0.85), (_INTRODUCED, 0.8), (_TITLED, 0.3)):
        for match in pattern.finditer(source.text):
            name = _trimmed(match["name"])
            if name.split()[0].lower() not in _NOT_A_NAME:
                found.append(Candidate(name, match.start("name"), match.start("name") + len(name), cue))
    return found


def merchants(source: Source) -> Sequence[Candidate]:
    """Capitalised names after "at", "from", ..., surer in a sentence about a payment, and those who charged."""
    found: list[Candidate] = []
    for match in _CHARGER.finditer(source.flowed):
        words = list(re.finditer(r"\S+", match["name"]))
        while words and words[0].group().lower() in _NOT_A_NAME:
            words.pop(0)
        if words:
            start = match.start("name") + words[0].start()
            found.append(Candidate(source.flowed[start : match.end("name")], start, match.end("name"), _CHARGER_CUE))
    for match in _MERCHANT.finditer(source.flowed):
        name = re.sub(r"[.,;:]+$", "", match["name"])
        name = re.sub(r"\s+(?:and|of|de|on|in)$", "", name)
        if name.split()[0].lower().strip(".") in _NOT_A_NAME:
            continue
        about_payment = _PURCHASE.search(source.text, max(0, match.start() - 120), match.end() + 60)
        cue = _CUE_STRENGTH.get(match["cue"].lower(), 0.25) + (0.2 if about_payment else 0.0)
        found.append(Candidate(name, match.start("name"), match.start("name") + len(name), cue))
    return found
