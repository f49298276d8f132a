"""Letterheads: who issued a receipt or an invoice, as the lines at its top say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tools.extraction.readers.dates import dates
from tools.extraction.readers.misread import misreadable
from tools.extraction.readers.names import FORM, SUFFIX, organisations
from tools.extraction.readers.places import addresses
from tools.extraction.readers.sellers import sellers
from tools.extraction.readers.source import Candidate, Line, Source
from tools.extraction.readers.trades import TRADES

_LINE_SUFFIX = re.compile(rf"\b(?:{SUFFIX}|{TRADES})\b", re.IGNORECASE)
_NOT_LETTERHEAD = re.compile(
    r"invoice|receipt|\btel\b|\bfax\b|\b(?:tele)?phone|gst|vat\b|\breg\b|thank|welcome|date|\bpage|www|@|^\W*$|\bno\b\.?\s*[:.]|"
    r"cashier|\bserver\b|\bclerk\b|\bguests?\b|\btable|\border|credit note|bill\b|copy|http|"
    r"\bqty\b|\bitems?\b|\bamount\b|\bprices?\b|\btotal\b|description|"
    r"customer|client\b|\bto\b:|visit us|\bcash\b(?!\W*(?:and\b)?\W*carry)|\bvisa\b|\bpos\b|\bgoods sold\b|"
    r"\b(?:powered|processed|software|served) by\b|\bopen(?:ing)?\b|\bhours\b|\bdaily\b|:$|"
    r"^\W*(?:hi|hello|dear|purchase|sale|approved|declined|original|duplicate|reprint|fiscal|non[- ]fiscal|ticket"
    r"|voucher|counterfoil|stub|"
    r"quittung|beleg|bon|kassenbon|factura|facture|rechnung|ricevuta|scontrino|recibo)\b|"
    r"\b(?:merchant|cardholder|sales?|payment)\s+(?:slip|voucher|draft|ticket)\b|\bself[- ]service\b|\bguest check\b|"
    r"vielen dank|\bmerci\b|\bgracias\b|\bgrazie\b|signature|\bpin verified\b|\bterm(?:inal)?\b\s*\d|\bbatch\b"
    r"|\btill\b|\bfecha\b|\bdatum\b|"
    r"\buhrzeit\b|\bhora\b|\bheure\b|^(?:time|goods|articles?|particulars|each|sum|[at]id|amt|seq|stan|rrn|hall"
    r"|stall|counter|level|floor|gate|till|debit|credit)\b|^[\w ]{2,20}:\s+\d|^[^\W\d][\w. ]{1,24}\s?:\s|"
    r"^(?:master ?card|amex|maestro"
    r"|debit card|credit card)\b",
    re.IGNORECASE,
)
_COURTESIES = re.compile(
    r"\bhave an?\b|\bcome again\b|\bsee you\b|\bplease\b|\benjoy\b|\bkeep this\b|\byour\b|\brefund|"
    r"\breturns?\b|\bstamps?\b"
    r"|\bpassword\b|\bwifi\b|\bscan\b|\breview\b|\bfeedback\b|\bsurvey\b|\bholidays\b|\bdisplay\b|\bvalid\b|\bexpires?\b|\bapproved\b"
    r"|\bserved\b|\bfor shopping\b|\b(?:parking|tram|bus|train|single|return|day|fare)\b.*\bticket\b|\ball sales\b"
    r"|\b(?:row|seat|lane|shift|drawer|booth|deck|gate|bay|zones?|level|pump|aisle|register)\b\W*\d"
    r"|^\W*(?:paragon|rachunek|kvitto|kvittering|cupom|nota|boleta|docket|memo|proof|statement|confirmation|admission|department|dept)\b"
    r"|\b(?:kasse|caisse|cassa|caja|kassa|tisch|mesa|tavolo|room|tab|operator|bediener)\b\W*\d"
    r"|\b(?:sales?|till|cash) (?:slip|memo|docket)\b",
    re.IGNORECASE,
)
"""What else tills print; a name with a legal form or a trade may have such a word."""
_BUSINESS = re.compile(
    r"\b(?:copy|table|order|bill|page|gate|hall|counter|level|floor|open|daily|free|review)\b(?=(?:\W+\w+){0,2}\W+(?:shop|store|café|cafe|pizza|"
    r"restaurant|grill|kitchen|bakery|coffee|books|centre|center|market|bistro|bar|theatre|theater|cinema|deli|hotel)\b)",
    re.IGNORECASE,
)
"""Words of papers and places that are a part of a name when a trade follows: `Copy Shop`, `Round Table Pizza`."""
_MISREAD_WORD = re.compile(
    misreadable(
        r"invoice|receipt|counterfoil|voucher|\bticket|purchase|duplicate|signature|terminal|cashier|customer|cardholder|merchant\s+(?:slip|copy)|"
        r"self[- ]service|description|please|\bthank|welcome|approved|quittung|kassenbon|factura|rechnung|"
        r"gracias|merci\b|vielen\s+dank"
    ),
    re.IGNORECASE,
)
_ADDRESS_WORD = re.compile(
    r"\b(?:jalan|jln|lot|street|st|road|rd|avenue|ave|lane|taman|floor|suite|unit|blvd|straße|strasse|rue|plaza|mall|no)\b\.?|\b\d{4,6}\b|"
    r"\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b",
    re.IGNORECASE,
)
LETTERHEAD_LINES = 14
_REGISTRATION = re.compile(
    r"[\s,]*[(\[{]?\s*(?:co\.?\s*(?:reg)?\.?\s*(?:no)?\.?\s*:?\s*)?"
    r"(?:[A-Z]{0,2}\d{4,12}\s?[- ]\s?[A-Z]{1,2}|\d{3,9}[A-Z]|[A-Z]{2}\d{6,9}|\d{6,12})"
    r"\s*[)\]}]?(?:\s*\([A-Z]{2,4}\))?\s*$|\s*\((?:[A-Z][A-Z.]{1,5}:?\s+)[\dA-Z][\d -]{6,}[A-Z]?\)\s*$",
    re.IGNORECASE,
)
_NUMBER_BEHIND_FORM = re.compile(
    rf"(?P<name>[^\d,]*[\s.)](?:{FORM})\.?)(?=[\s({{\[]+(?:[A-Z.]{{1,6}}[\s.:]+){{0,3}}[A-Z]{{0,3}}\d[\w\s./-]*\W*$)"
)
"""A company up to its legal form, with nothing but a number behind, however it is written or misread."""
_BEHIND = re.compile(
    r"\s*(?:,|\s[-–—|/·•])\s+(?=\d+[A-Z]?,?\s+[^\W\d]{2})|\s+[|/·•]\s+|\s*\|\s*|\s+(?=(?:tel|ph|phone)\b|(?:vat|gst)\b\W*(?:no|reg|id|(?-i:[A-Z]{2}\b)|\d))",
    re.IGNORECASE,
)
"""Where an address or a number begins behind a name on its line."""
_KNOWN_BY = re.compile(
    r"^\W*(?:(?:co(?:mpany)?|business|br|roc|ssm)?\.?\s*(?:reg(?:istration|istered)?\b|no\b|nr\b|number)|"
    r"(?:vat|gst|sst|abn|acn|uen|siret|siren|nif|cif|p\.?\s?iva|ust|steuer\w*|org\.?\s?nr|cvr|kvk|nip|tin|ein|brn)\b)|"
    r"^[\W]*\(?(?:[A-Z]{2})?\d{5,12}\s?-\s?[A-Z]{1,2}\)?\W*$",
    re.IGNORECASE,
)
"""A line with the number under which the company above it is registered."""
_KNOWN_BONUS = 0.05
_NUMBERED = re.compile(
    r"^(?:\d{6,}\s+|(?:merchant|retailer|seller|vendor|issuer|trader|dealer|supplier)\s+(?:name\s+)?(?!slip|copy|voucher|receipt|id\b|no\b|number)(?=[A-Z])|(?:an?\s+)?(?:business|brand|division|subsidiary|trading\s+name)\s+of\s+|(?:trading\s+as|t/a)\s+|"
    + misreadable(r"(?:station|merchant|shop|store|seller|vendor)\s*:\s+(?!\d)")
    + r"|(?:own(?:ed)?|operated|managed|run|issued|sold|provided)\s+(?:by|on\s+behalf\s+of|for)\s*:?\s*)",
    re.IGNORECASE,
)
"""What stands before a name on its line: a till's number, or who says that it runs the shop."""
_HOUSE = re.compile(r"^(?:(?:no|lot|unit)\b\.?\s*)?\d+[A-Z]?(?:\s?[-&/,]\s?\d+[A-Z]?)*,?\s+\D", re.IGNORECASE)
_STREET = re.compile(r"stra(?:ss|ß)e|straat", re.IGNORECASE)
_CELL = re.compile(r"\S(?:.*?\S)??(?=[ \t]{3,}|\t|[ \t]*$)")
_LEGAL_FORM = re.compile(rf"(?:^|[\s,.)])(?:{FORM})\.?$", re.IGNORECASE)
_LEGAL_BONUS = 0.07
_AMOUNT_AT_END = re.compile(r"\s\d+[.,]\d\d\W*[A-Z]{0,3}$")
_PRICES = re.compile(r"[\s\dx@X*.,]*\d[.,]\d\d[\s\dx@X*.,A-Z]*")
_CODE = re.compile(r"[\s\dxX*#@-]+")
_UNNAMED_FLOOR = 0.36
"""A line without any word of a company's name is a name only near the top."""
_ODD_LENGTH, _LONG_NAMES = 0.1, range(5, 20)
"""Less for a word alone, or for many, below the first line: they may be anything."""
_BRANCH = re.compile(
    r"\s*(?P<branch>\((?!.*\b(?:formerly|former|incorporated|co|company|reg\w*|gst|sst|vat|tax|no|tel|member)\b)[A-Z][^()\d:]{2,40}\))\s*",
    re.IGNORECASE,
)
"""A branch in brackets on the line below a company."""
_OPENING = re.compile(
    r"the|restoran|restaurant|kedai(?:\s\w+)?|syarikat(?:\sperniagaan)?|perniagaan|pasaraya|klinik|farmasi|hotel|caf[eé]|"
    r"ristorante|trattoria|osteria|pizzeria|boulangerie|p[aâ]tisserie|pharmacie|farmacia|apotheke|bäckerei|metzgerei|gasthaus|gasthof",
    re.IGNORECASE,
)
"""Words that a name begins with in the languages that put the trade first."""
_BRACKETED = re.compile(r"\W*\(.*\)\W*")
_ALIAS = 0.2
"""Less for a line in brackets: another name of who stands above."""
_TAIL = re.compile(
    rf"\W*(?:(?:SDN|BHD|CO|COMPANY|LTD|LIMITED|INC|LLC|S/B|PLC|GMBH|{TRADES}|\([A-Z .]{{1,20}}\)|AND|&|"
    r"ENTERPRISES|ELECTRONICS?|STATIONER(?:Y|S)|BOOKSTORES?|SUPPL(?:Y|IES)|MARKETING|SERVICE|HYPERMARKET|MINI|FOODS?|FURNITURE|ENGINEERING|"
    r"DISTRIBUTORS?|RESOURCES|CORPORATION|OPTICAL|SEAFOOD|MACHINERY|JEWELLE?RY|FASHIONS|INTERNATIONAL|MANAGEMENT|DEVELOPMENT|PRODUCTS|"
    r"TEXTILES?|COSMETICS|MEDICAL|DENTAL|AUTO(?:MOBILE)?|ACCESSORIES|PRINTING|PACKAGING|COMPUTERS?|TELECOMMUNICATIONS?|LIGHTING|CATERING|"
    r"BEVERAGES?|PETROLEUM|TRAVEL|TOURS|BERHAD|PLT|SOLUTIONS|VENTURES|BROTHERS|SONS|HEALTHCARE|RETAIL|RESTAURANTS|STUDIO|CONSULTANCY|TECHNOLOG(?:Y|IES)|TRANSPORT|LOGISTICS|EXPRESS)[\s.]*)+$",
    re.IGNORECASE,
)
_CONNECTORS = frozenset(
    "and of the de du des la le les el los las da do dos di del della van von der den zum zur am im y e et und".split()
)
_DECORATED = re.compile(r"\s*(?P<mark>[-=*~#_+]{2,}|[*«\"“\[])\s*[^\W\d].*?\s*(?:[-=*~#_+]{2,}|[*»\"”\]])\s*")
_TRADE_ALONE = re.compile(rf"(?:{TRADES})", re.IGNORECASE)
_COUNTED = re.compile(
    r"(?:[^\W\d]+ )?(?:kiosk|platform|dep(?:artmen)?t|unit|stand|stall|hall|dock|block|wing|terminal|track|"
    r"point|site|branch|outlet|store|shop|"
    r"counter|window|desk|area|section|sector|pier|quay|berth|boo?th|cabin|court|suite|floor) (?:no\.? ?|"
    r"#)?(?:\d{1,4}|[A-Z])",
    re.IGNORECASE,
)
"""One of several: `Kiosk 3`."""
_TOP_LINES, _FOOT_LINES = 4, 8
_CONTACT = re.compile(r"\W*(?:tel|phone|ph|www)\b", re.IGNORECASE)
_LONGEST_LINE = 120
_FOOT_CUE = 0.41


def is_street(text: str) -> bool:
    """Whether a line is a house and its street rather than a name."""
    return _HOUSE.match(text) is not None and (_ADDRESS_WORD.search(text) is not None or "," in text)


def _head_text(text: str) -> str:
    plain = text.strip(" \t*#=-|_")
    plain = plain.strip('«»"“”[]~+ ')
    plain = plain[1:-1] if re.fullmatch(r"\([^()]*(?:\([^()]*\))?[^()]*\)", plain) else plain
    plain = _REGISTRATION.sub("", _NUMBERED.sub("", plain)).strip()
    plain = _BEHIND.split(plain, maxsplit=1)[0].rstrip(",") if plain[:1].isalpha() else plain
    numbered = _NUMBER_BEHIND_FORM.match(plain)
    return numbered["name"] if numbered else plain


def _names_someone(text: str, position: int) -> bool:
    letters = sum(char.isalpha() for char in text)
    if (
        letters < 3
        or len(text) > 70
        or letters < len(text) * 0.5
        or _NOT_LETTERHEAD.search(_BUSINESS.sub("", text))
        or (not _LINE_SUFFIX.search(text) and (_COURTESIES.search(text) or _MISREAD_WORD.search(text)))
        or _TAIL.fullmatch(text)
        or _is_sentence(text)
        or _COUNTED.fullmatch(text)
        or _TRADE_ALONE.fullmatch(text)
    ):
        return False
    if _HOUSE.match(text) and (_ADDRESS_WORD.search(text) or "," in text or _STREET.search(text)):
        return False
    if _LINE_SUFFIX.search(text):
        return True
    # "99 Ranch" may be a shop at the very top; further down a number and a word are a house and its street.
    return not _ADDRESS_WORD.search(text) and not (position and _HOUSE.match(text))


def _is_sentence(text: str) -> bool:
    """More of its words are small than a name's are."""
    words = [word for word in re.findall(r"[^\W\d_]+", text) if word.lower() not in _CONNECTORS]
    return sum(word[0].islower() for word in words) > len(words) / 2


def _joined_end(source: Source, index: int, text: str) -> int | None:
    """Where a name ends that goes on in the next line: after an `&`, or where that line is nothing but a legal form."""
    if index + 1 >= len(source.lines):
        return None
    following = source.lines[index + 1]
    if _LEGAL_FORM.search(text) and (branch := _BRANCH.fullmatch(following.text)):
        return following.start + branch.end("branch")
    tail = _head_text(following.text)
    goes_on = _TAIL.fullmatch(tail) or ((text.endswith("&") or tail.startswith("& ")) and 2 < len(tail) < 40)
    return following.start + following.text.index(tail) + len(tail) if tail and goes_on else None


def _is_priced(source: Source, index: int) -> bool:
    """A good that was sold: an amount stands on its line or, maybe after a code and a quantity, in those below."""
    if _AMOUNT_AT_END.search(source.lines[index].text):
        return True
    for line in source.lines[index + 1 : index + 5]:
        if _PRICES.fullmatch(line.text):
            return True
        if not _CODE.fullmatch(line.text):
            return False
    return False


def letterhead(source: Source) -> Sequence[Candidate]:
    """Lines at the top of a document that may name who issued it; a name that goes on in the next line is joined."""
    named = sellers(source)
    found = [*named, *_at_foot(source)]
    filled = [index for index, line in enumerate(source.lines[:60]) if line.text.strip()][:LETTERHEAD_LINES]
    for position, index in enumerate(filled):
        if not _is_priced(source, index):
            found += _on_line(source, index, position)
    return [one for one in found if not any(one.start < inner.start and inner.end <= one.end for inner in named)]


def _is_known(source: Source, index: int) -> bool:
    """The next line has the number under which a company is registered."""
    return index + 1 < len(source.lines) and _KNOWN_BY.match(source.lines[index + 1].text) is not None


def _has_contact(source: Source, index: int) -> bool:
    """The next line is an address, a telephone number or a company's number."""
    if index + 1 >= len(source.lines):
        return False
    below = source.lines[index + 1]
    if _is_known(source, index) or _CONTACT.match(below.text):
        return True
    return any(one.start == below.start for one in source.read(addresses))


def _at_foot(source: Source) -> list[Candidate]:
    """Names in the last lines that stand between marks, or above a company's number or an address."""
    filled = [index for index, line in enumerate(source.lines) if line.text.strip()]
    found: list[Candidate] = []
    for index in filled[_TOP_LINES:][-_FOOT_LINES:]:
        line = source.lines[index]
        text = _head_text(line.text)
        marked = _DECORATED.fullmatch(line.text) or _has_contact(source, index)
        marked = marked or _LINE_SUFFIX.search(text)
        addressed = _BEHIND.search(line.text) or _REGISTRATION.search(line.text)
        whole = " " in text or _LEGAL_FORM.search(text) or _has_contact(source, index)
        if whole and (marked or addressed) and _names_someone(text, index) and not _is_priced(source, index):
            start = line.start + line.text.index(text)
            cue = _FOOT_CUE + (_LEGAL_BONUS if _LEGAL_FORM.search(text) else 0.0)
            found.append(Candidate(text, start, start + len(text), cue))
    return found


def _opened(source: Source, index: int, position: int) -> list[Candidate]:
    """A name whose first word has a line of its own."""
    line, below = source.lines[index : index + 2] if index + 1 < len(source.lines) else (source.lines[index], None)
    opening = line.text.strip()
    name = _head_text(below.text) if below else ""
    if below is None or not _OPENING.fullmatch(opening) or not _names_someone(name, position) or is_street(name):
        return []
    start = line.start + line.text.index(opening)
    end = _joined_end(source, index + 1, name) or below.start + below.text.index(name) + len(name)
    return [Candidate(" ".join(source.text[start:end].split()), start, end, max(0.05, 0.8 - 0.035 * position))]


def _on_line(source: Source, index: int, position: int) -> list[Candidate]:
    """The names on a line, which may have columns; `position` counts the filled lines above it."""
    line = source.lines[index]
    found = _opened(source, index, position)
    for cell in _CELL.finditer(line.text):
        text = _head_text(cell.group())
        formed = _formed(source, line.start + cell.start(), line.start + cell.end(), position)
        goes_on = bool(formed) and source.text.startswith(", ", formed[0].end)
        if goes_on or not _names_someone(text, position) or _is_dated(source, cell, line):
            found += formed
            continue
        start = line.start + cell.start() + cell.group().index(text)
        end = start + len(text)
        cue = (0.66 if _LINE_SUFFIX.search(text) else 0.48) - 0.035 * position
        if joined := _joined_end(source, index, text):
            end, cue = joined, cue + 0.14
        whole = source.text[start:end]
        if _LEGAL_FORM.search(whole):
            cue += _LEGAL_BONUS
        if _is_known(source, source.line_number(end - 1)):
            cue += _KNOWN_BONUS
        if position and _BRACKETED.fullmatch(cell.group()):
            cue -= _ALIAS
        if position and not _LINE_SUFFIX.search(whole) and not _has_contact(source, index):
            cue -= _ODD_LENGTH if len(whole.split()) in (1, *_LONG_NAMES) else 0.0
        if cue >= _UNNAMED_FLOOR or _LINE_SUFFIX.search(whole):
            found.append(Candidate(" ".join(whole.split()), start, end, max(0.05, cue)))
    return found


def _is_dated(source: Source, cell: re.Match[str], line: Line) -> bool:
    """A day stands in the cell, and no word of a company's name."""
    start, end = line.start + cell.start(), line.start + cell.end()
    return not _LINE_SUFFIX.search(cell.group()) and any(start <= day.start < end for day in source.read(dates))


def _formed(source: Source, start: int, end: int, position: int) -> list[Candidate]:
    """A name with a legal form at the beginning of a cell that goes on with something else."""
    return [
        replace(one, cue=max(0.05, 0.6 - 0.035 * position))
        for one in source.read(organisations)
        if one.start == start and one.end <= end
    ]
