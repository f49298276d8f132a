"""Names: organisations, people and merchants."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.extraction.readers.dates import MONTHS
from tools.extraction.readers.source import Candidate, Source

_FORMS = (
    r"Pty\.? Ltd|Pty\.? Limited|Pte\.?,? Ltd|Pvt\.? Ltd|Private Limited|Sdn\.? Bhd|Co\.?,? Ltd|Co\.?,? Limited|"
    r"GmbH & Co\.? KG|Ltd|Limited|LLC|L\.L\.C|LLP|L\.L\.P|L\.P|LP|PLC|Inc|Incorporated|Corp|Corporation|GmbH|AG|KG|SE|S\.A|SA|SAS|SARL|S\.[àa] ?r\.l|"
    r"S\.r\.l|SpA|S\.p\.A|B\.V|BV|N\.V|NV|AB|A/S|ApS|Oy|OYJ|AS|Bhd|Kft|s\.r\.o|Lda|Ltda|N\.A|DAC|P\.C|Co|Company"
).replace(" ", r"\s")
FORM = rf"{_FORMS}|{_FORMS.upper().replace(chr(92) + 'S', chr(92) + 's')}|plc"
"""Legal forms of companies, a regular expression; what may follow one is no longer the name."""
_SUFFIX = (
    r"Ltd|Limited|LLC|L\.L\.C|LLP|PLC|plc|Inc|Incorporated|Corp|Corporation|Co|Company|GmbH|AG|KG|SE|S\.A\.?|SAS|SARL|S\.r\.l|SpA|S\.p\.A|B\.V|BV|"
    r"N\.V|NV|AB|A/S|ApS|Oy|AS|Pty|Pte|Sdn|Bhd|S/B|BHD|SDN|Kft|s\.r\.o|Lda|Ltda|Foundation|Trust|Bank|University|Association"
)
_SUFFIXED = re.compile(
    rf"(?<![\w&])(?P<name>[A-Z][\w&'’.-]*(?:[ ,]{{1,2}}(?:&|and|of|the|de|"
    rf"[A-Z(][\w&'’.()-]*)){{0,6}}?[ ,]{{1,2}}(?:(?:{_SUFFIX})\b\.?[ ,]{{0,2}}){{1,3}})"
)
_LINE_SUFFIX = re.compile(
    rf"\b(?:{_SUFFIX.upper()}|ENTERPRISE|TRADING|MART|SUPERMARKET|RESTAURANT|RESTORAN|CAFE|CAFÉ|HARDWARE|STORES?|SHOP|PHARMACY|BAKERY|HOTEL|GROCER\w*|"
    r"MARKET|KITCHEN|GRILL|COFFEE|BOOKS|CENTRE|CENTER|HOLDINGS|GROUP|SERVICES|STATION|INDUSTRIES|ELECTRICAL|CONFECTIONERY|BISTRO|PIZZA|SALON|CLINIC|"
    r"DELI|MOTORS|GARAGE|PASARAYA|PERNIAGAAN|SYARIKAT|KEDAI)\b",
    re.IGNORECASE,
)
# A full stop belongs to a name only inside it or after an initial or a short title.
_CAP = r"(?:(?:[A-Z]|St|Dr|Mr|Mrs|Ms|Co|Inc|Ltd)\.(?=\s)|[A-Z][\w'’&-]*(?:\.[\w'’&-]+)*)"
_MERCHANT = re.compile(
    rf"\b(?P<cue>at|from|with|by|to|merchant|retailer|shop|store|seller|called|vendor)\s+(?:the\s+(?:(?:merchant|retailer|shop|store)\s+)?)?"
    rf"[\"“']?(?P<name>{_CAP}(?:[ \t](?:{_CAP}|&|and|of|de|\d{{1,4}})){{0,4}})"
)
_PURCHASE = re.compile(
    r"charge|transaction|purchase|payment|paid|spent|bought|order|debit|billed|merchant|bezahlt|achat", re.IGNORECASE
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


def _trimmed(name: str) -> str:
    return re.sub(r"[\s,]+$", "", name)


def organisations(source: Source) -> Sequence[Candidate]:
    """Capitalised names that end in a legal form (`Ltd`, `GmbH`, `Sdn Bhd`, ...)."""
    found: list[Candidate] = []
    for match in _SUFFIXED.finditer(source.text):
        name = _trimmed(match["name"])
        found.append(Candidate(name, match.start("name"), match.start("name") + len(name), 0.3))
    return found


_NOT_LETTERHEAD = re.compile(
    r"invoice|receipt|\btel\b|\bfax\b|phone|gst|vat\b|\breg\b|thank|welcome|date|page|www|@|^\W*$|\bno\b\.?\s*[:.]|"
    r"cashier|\bserver\b|\bclerk\b|\bguests?\b|table|order|credit note|bill\b|copy|http|\bqty\b|\bitems?\b|\bamount\b|\bprice\b|\btotal\b|description|"
    r"customer|client\b|\bto\b:|visit us|\bcash\b(?!\W*(?:and\b)?\W*carry)|\bvisa\b|\bpos\b|\bgoods sold\b",
    re.IGNORECASE,
)
_ADDRESS_WORD = re.compile(
    r"\b(?:jalan|jln|lot|street|st|road|rd|avenue|ave|lane|taman|floor|suite|unit|blvd|straße|strasse|rue|plaza|mall|no)\b\.?|\b\d{4,6}\b",
    re.IGNORECASE,
)
LETTERHEAD_LINES = 14
_REGISTRATION = re.compile(
    r"[\s,]*[(\[]?\s*(?:co\.?\s*(?:reg)?\.?\s*(?:no)?\.?\s*:?\s*)?(?:[A-Z]{0,2}\d{4,12}\s?[- ]\s?[A-Z]{1,2}|\d{3,9}[A-Z]|[A-Z]{2}\d{6,9}|\d{6,12})"
    r"\s*[)\]]?(?:\s*\([A-Z]{2,4}\))?\s*$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(?:\d{4,}\s+|(?:own(?:ed)?|operated|managed)\s+by\s*:?\s*)", re.IGNORECASE)
"""What stands before a name on its line: a till's number, or who says that it runs the shop."""
_HOUSE = re.compile(r"^(?:(?:no|lot|unit)\b\.?\s*)?\d+[A-Z]?(?:\s?[-&/,]\s?\d+[A-Z]?)*,?\s+\D", re.IGNORECASE)
_LEGAL_FORM = re.compile(rf"(?:^|[\s,.)])(?:{FORM})\.?$", re.IGNORECASE)
_LEGAL_BONUS = 0.07
_AMOUNT_AT_END = re.compile(r"\s\d+[.,]\d\d\W*[A-Z]?$")
_PRICES = re.compile(r"[\s\dx@X*.,]*\d[.,]\d\d[\s\dx@X*.,A-Z]*")
_UNNAMED_FLOOR = 0.36
"""A line without any word of a company's name is a name only near the top."""
_TAIL = re.compile(
    r"\W*(?:(?:SDN|BHD|CO|COMPANY|LTD|LIMITED|INC|LLC|S/B|PLC|GMBH|ENTERPRISE|TRADING|HARDWARE|ELECTRICAL|RESTAURANT|RESTORAN|CAFE|BAKERY|STORES?|\(M\)|AND|&)[\s.]*)+$",
    re.IGNORECASE,
)


def _head_text(text: str) -> str:
    plain = text.strip(" \t*#=-|_")
    plain = plain[1:-1] if re.fullmatch(r"\([^()]*(?:\([^()]*\))?[^()]*\)", plain) else plain
    return _REGISTRATION.sub("", _NUMBERED.sub("", plain)).strip()


def _names_someone(text: str) -> bool:
    letters = sum(char.isalpha() for char in text)
    if (
        letters < 3
        or len(text) > 70
        or letters < len(text) * 0.5
        or _NOT_LETTERHEAD.search(text)
        or _TAIL.fullmatch(text)
    ):
        return False
    if _HOUSE.match(text) and (_ADDRESS_WORD.search(text) or "," in text or re.search(r"stra(?:ss|ß)e|straat", text, re.IGNORECASE)):
        return False
    return _LINE_SUFFIX.search(text) is not None or not _ADDRESS_WORD.search(text)


def _joined_end(source: Source, index: int, text: str) -> int | None:
    """Where a name ends that goes on in the next line: after an `&`, or where that line is nothing but a legal form."""
    if index + 1 >= len(source.lines):
        return None
    following = source.lines[index + 1]
    tail = _head_text(following.text)
    goes_on = _TAIL.fullmatch(tail) or ((text.endswith("&") or tail.startswith("& ")) and 2 < len(tail) < 40)
    return following.start + following.text.index(tail) + len(tail) if tail and goes_on else None


def _is_priced(source: Source, index: int) -> bool:
    """A good that was sold: an amount stands on its line or fills the next one."""
    if _AMOUNT_AT_END.search(source.lines[index].text):
        return True
    return index + 1 < len(source.lines) and _PRICES.fullmatch(source.lines[index + 1].text) is not None


def letterhead(source: Source) -> Sequence[Candidate]:
    """Lines at the top of a document that may name who issued it; a name that goes on in the next line is joined."""
    found: list[Candidate] = []
    filled = [index for index, line in enumerate(source.lines[:60]) if line.text.strip()][:LETTERHEAD_LINES]
    for position, index in enumerate(filled):
        line = source.lines[index]
        text = _head_text(line.text)
        if not _names_someone(text) or _is_priced(source, index):
            continue
        start = line.start + line.text.index(text)
        end = start + len(text)
        cue = (0.66 if _LINE_SUFFIX.search(text) else 0.48) - 0.035 * position
        if joined := _joined_end(source, index, text):
            end, cue = joined, cue + 0.14
        if _LEGAL_FORM.search(source.text[start:end]):
            cue += _LEGAL_BONUS
        if cue < _UNNAMED_FLOOR and not _LINE_SUFFIX.search(source.text[start:end]):
            continue
        value = " ".join(source.text[start:end].split())
        found.append(Candidate(value, start, end, max(0.05, cue)))
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
    """Capitalised names after "at", "from", "merchant", ...; surer in a sentence about a payment."""
    found: list[Candidate] = []
    for match in _MERCHANT.finditer(source.flowed):
        name = re.sub(r"[.,;:]+$", "", match["name"])
        name = re.sub(r"\s+(?:and|of|de|on|in)$", "", name)
        if name.split()[0].lower().strip(".") in _NOT_A_NAME:
            continue
        about_payment = _PURCHASE.search(source.text, max(0, match.start() - 120), match.end() + 60)
        cue = _CUE_STRENGTH.get(match["cue"].lower(), 0.25) + (0.2 if about_payment else 0.0)
        found.append(Candidate(name, match.start("name"), match.start("name") + len(name), cue))
    return found
