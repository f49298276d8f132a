"""The simple baseline: what a page of regular expressions reads, one label list a field, first match wins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from eval.extraction.documents import Gold, Scalar

_DATE = (
    r"(\d{4}-\d\d-\d\d|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2}[ -][A-Z][a-z]{2,8}[ -]\d{4}|"
    r"[A-Z][a-z]{2,8} \d{1,2}, \d{4})"
)
_AMOUNT = r"[^\d\n-]{0,12}(\d[\d.,]*[.,]\d\d)\b"
_LINE = r"\s*[:#]?\s*(\S[^\n]*)"
_DURATION = r"(\w+ (?:\(\d+\) )?(?:days?|months?|years?))"
_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y", "%d-%m-%y", "%d.%m.%Y", "%d.%m.%y", "%d %B %Y", "%d %b %Y",
            "%d-%b-%Y", "%d-%B-%Y", "%B %d, %Y", "%b %d, %Y")  # fmt: skip
_COUNTS = {word: number for number, word in enumerate(
    "one two three four five six seven eight nine ten eleven twelve".split(), 1)}  # fmt: skip


def _text(found: str) -> str | None:
    return found.strip(' .,\t"') or None


def _day(found: str) -> str | None:
    for form in _FORMATS:
        try:
            return datetime.strptime(found, form).date().isoformat()
        except ValueError:
            continue
    return None


def _moment(found: str) -> str | None:
    day, _, clock = found.replace("T", " ").rpartition(" ")
    parsed = _day(day)
    return f"{parsed}T{clock}" if parsed else _day(found)


def _money(found: str) -> float | None:
    continental = re.search(r",\d\d$", found)
    plain = found.replace(".", "").replace(",", ".") if continental else found.replace(",", "")
    try:
        return float(plain)
    except ValueError:
        return None


def _duration(found: str) -> str | None:
    count, *_, unit = found.replace("(", "").replace(")", "").split()
    number = re.search(r"\d+", found)
    value = int(number.group()) if number else _COUNTS.get(count.lower())
    return None if value is None else f"{value} {unit.rstrip('s')}{'' if value == 1 else 's'}"


def _currency(found: str) -> str | None:
    return {"€": "EUR", "£": "GBP", "$": "USD", "RM": "MYR"}.get(found, found)


Rule = tuple[Callable[[str], Scalar | None], tuple[str, ...]]
_MARK = r"\b(EUR|GBP|USD|CHF|MYR|SEK|RM)\b|([€£$])"
_RULES: Mapping[str, Mapping[str, Rule]] = {
    "contract": {
        "title": (_text, (r"^\s*([^\n]*(?i:agreement|contract)[^\n]*)$",)),
        "effective_date": (_day, (r"(?i:effective date|effective as of|as of|dated|made on)\W*" + _DATE, _DATE)),
        "term": (_duration, (r"(?i:term of|period of|initial term:?)\s+" + _DURATION,)),
        "renewal": (_text, (r"(?i)((?:automatically )?renews?\b[^.;]*)",)),
        "termination_notice": (_duration, (_DURATION + r"['’]? (?:prior )?(?:written )?notice",)),
        "liability_cap": (_text, (r"(?i)liability[^.;]*?(?:exceed|limited to)\s+([^.;]*)",)),
        "governing_law": (_text, (r"(?i)governed by[^.;]*?laws? of\s+([^.,;]*)",)),
        "parties[].name": (_text, (r"(?i:between)\s+([^,(]*)[,(]",)),
    },
    "invoice": {
        "invoice_number": (_text, (r"(?i:invoice (?:no|number|#))[.:#\s]*(\S+)",)),
        "issue_date": (_day, (r"(?i:invoice date|date of issue|date)\W*" + _DATE, _DATE)),
        "due_date": (_day, (r"(?i:due date|due|pay by)\W*(?:by )?" + _DATE,)),
        "supplier": (_text, (r"(?i:supplier|from)" + _LINE, r"\A\s*([^\n]+)")),
        "customer": (_text, (r"(?i:bill to|customer)" + _LINE,)),
        "currency": (_currency, (_MARK,)),
        "subtotal": (_money, (r"(?i:sub-?total|net)" + _AMOUNT,)),
        "tax": (_money, (r"(?i:vat|tax)(?: \d+%)?" + _AMOUNT,)),
        "total": (_money, (r"(?i:total due|amount due|grand total|\btotal)" + _AMOUNT,)),
        "iban": (_text, (r"\b([A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?)\b",)),
    },
    "receipt": {
        "company": (_text, (r"\A\s*([^\n]+)",)),
        "date": (_day, (_DATE,)),
        "address": (_text, (r"(?i)\n([^\n]*(?:street|road|lane|avenue|jalan|drive)[^\n]*)",)),
        "total": (_money, (r"(?i:total)" + _AMOUNT,)),
        "currency": (_currency, (_MARK,)),
        "payment_method": (_text, (r"(?i)\b(cash|visa|mastercard|(?:debit|credit) card)\b",)),
    },
    "dispute_letter": {
        "customer_name": (_text, (r"(?i:name is|from:|name:)\s*([A-Z]\w+ [A-Z][\w']+)",
                                  r"(?i:faithfully|sincerely|wishes|regards|thanks),?\s+([^\n]+)")),
        "card_last4": (_text, (r"(?i:ending in|ends in|last four digits|\*{4}|x{4}) ?(\d{4})",)),
        "transaction_date": (_day, (r"(?i:on|dated|date:)\s+" + _DATE,)),
        "amount": (_money, (r"(\d[\d.,]*[.,]\d\d)\b",)),
        "currency": (_currency, (_MARK,)),
        "merchant": (_text, (r"\b(?i:at|from|merchant:)\s+((?:[A-Z][\w&']*\s?)+)",)),
        "reason": (_text, (r"(I did not[^.]*\.|[^.\n]*never[^.]*\.)",)),
        "requested_action": (_text, (r"((?:Please|I request|Could you)[^.?]*[.?])",)),
        "letter_date": (_day, (r"(?m)^" + _DATE + r"$",)),
    },
    "transaction": {
        "transaction_id": (_text, (r"(?i:transaction id|reference)\"?[:\s\"|]*([\w/-]+)",)),
        "timestamp": (_moment, (r"(\d{4}-\d\d-\d\dT[\d:]{8})", _DATE.replace("(", "((?:", 1) + r" [\d:]{8})")),
        "amount": (_money, (r"(?i:amount)\"?" + _AMOUNT, r"(\d[\d.,]*[.,]\d\d)\b")),
        "currency": (_currency, (_MARK,)),
        "merchant": (_text, (r"(?i:merchant)\"?[:\s\"|]+([^\n\"|]+)", r"\b(?:at|to)\s+((?:[A-Z][\w&']*\s?)+)")),
        "merchant_category": (_text, (r"(?i:category)\"?[:\s\"|]+([^\n\"|]+)",)),
        "channel": (_text, (r"(?i:channel)\"?[:\s\"|]+([^\n\"|]+)",)),
        "country": (_text, (r"(?i:country)\"?[:\s\"|]+([^\n\"|]+)",)),
        "city": (_text, (r"(?i:city)\"?[:\s\"|]+([^\n\"|]+)",)),
        "customer_id": (_text, (r"(?i:customer id)\"?[:\s\"|]+([\w-]+)",)),
    },
}  # fmt: skip


def read(schema: str, text: str) -> dict[str, Gold]:
    """What the rules read; a column of records is what its rule finds everywhere."""
    found: dict[str, Gold] = {}
    for path, (convert, patterns) in _RULES[schema].items():
        matches = (match for pattern in patterns for match in re.finditer(pattern, text, re.MULTILINE))
        values = (convert(next(group for group in match.groups() if group)) for match in matches)
        if "[]" in path:
            found[path] = tuple(value for value in values if value is not None) or None
        else:
            found[path] = next((value for value in values if value is not None), None)
    return found
