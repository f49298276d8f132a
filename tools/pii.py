"""Personal data in texts: found, counted, and replaced by its kind.

Numbers count only where their check digits and lengths say so, so that amounts, dates and identifiers stay;
docs/audit.md says what is missed all the same, and what is masked without need.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from stdnum import iban, luhn

Kind = Literal["name", "email", "iban", "card", "phone", "ssn", "ip"]
Span = tuple[int, int]

IN_TEXTS: frozenset[Kind] = frozenset({"email", "iban", "card", "phone", "ssn", "ip"})
"""What a data set is cleaned of."""
IN_RECORDS: frozenset[Kind] = frozenset({"name", "email", "iban", "card", "phone", "ssn"})
"""What logs and traces hide. Addresses of machines stay: they say which endpoint does not answer."""


@dataclass(frozen=True)
class Masked:
    """A text without its personal data, and what was found by kind."""

    text: str
    found: Counter[str]


def mask_personal_data(text: str, kinds: Collection[Kind] = IN_TEXTS) -> Masked:
    """Replace e-mail addresses, card numbers, IBANs, telephone, US social security and IP numbers, each by `[kind]`.

    With the kind `name`, also what stands in fields that hold a person's name, such as `cardholder_name`.
    """
    found: Counter[str] = Counter()
    for kind, find in _FINDERS.items():
        if kind in kinds and (spans := list(find(text))):
            found[kind] += len(spans)
            text = _replace(text, spans, f"[{kind}]")
    return Masked(text, found)


def _replace(text: str, spans: list[Span], mask: str) -> str:
    pieces: list[str] = []
    position = 0
    for start, end in spans:
        pieces += (text[position:start], mask)
        position = end
    return "".join((*pieces, text[position:]))


# A value may follow an escaped line break, as in the JSON of a trace or the repr of a log line.
_NO_WORD_BEFORE = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
_GAP = r"(?:  ?|[\u00a0\u2000-\u200a\u202f-]|\\u00a0)"

# Hashes, trace ids and run ids hold long runs of digits, too.
_HEX_ID = r"\b[0-9a-f]{32}(?:[0-9a-f]{32})?\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
_DIGITS = re.compile(rf"{_HEX_ID}|(?<!\d)(?<!\d\.)(?P<digits>\d(?:{_GAP}?\d){{12,}})")
# The issuers' ranges and lengths: without them a tenth of all long numbers would pass for cards.
_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"  # Visa
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}|35\d{14,17}"  # Diners Club, JCB
    r"|(?:50|5[6-9]|6\d)\d{11,17}"  # Maestro, Discover, UnionPay, RuPay
    r"|220[0-4]\d{12,15}|8[12]\d{14}|9792\d{12}"  # Mir, RuPay, Troy
)
_MOST_GROUPS = 6


def _cards(text: str) -> Iterator[Span]:
    for match in _DIGITS.finditer(text):
        if match["digits"] is not None:
            yield from _cards_among(match["digits"], match.start("digits"))


def _cards_among(run: str, offset: int) -> Iterator[Span]:
    """The cards in a run of digits in groups: an expiry date or an amount may stand before and after them."""
    groups = [match.span() for match in re.finditer(r"\d+", run)]
    at = 0
    while at < len(groups):
        start = groups[at][0]
        for upto in range(min(at + _MOST_GROUPS, len(groups)), at, -1):
            end = groups[upto - 1][1]
            if _is_card(run[start:end]):
                yield offset + start, offset + end
                at = upto - 1
                break
        at += 1


def _is_card(written: str) -> bool:
    digits = re.sub(r"\D", "", written)
    # One number has one kind of gap: what has several is a date beside an amount.
    uniform = len(set(re.sub(r"\d", "", written))) <= 1
    return uniform and _CARD.fullmatch(digits) is not None and luhn.is_valid(digits)


_IBAN = re.compile(rf"{_NO_WORD_BEFORE}(?=(?P<run>[A-Za-z]{{2}}\d{{2}}(?:{_GAP}?[A-Za-z0-9]){{11,30}}))")
_SHORTEST_IBAN = 15


def _ibans(text: str) -> Iterator[Span]:
    free = 0
    for match in _IBAN.finditer(text):
        start = match.start("run")
        if start >= free and (end := _iban_end(text, start, match.end("run"))) is not None:
            yield start, end
            free = end


def _iban_end(text: str, start: int, end: int) -> int | None:
    """Where the longest IBAN ends that begins at `start` and is no part of a longer word."""
    while end - start >= _SHORTEST_IBAN:
        if not text[end : end + 1].isalnum() and text[end - 1].isalnum() and _is_iban(text[start:end]):
            return end
        end -= 1
    return None


def _is_iban(text: str) -> bool:
    compact = re.sub(_GAP, "", text).upper()
    # The check digits first: the countries' own rules take longer.
    number = "".join(str(int(char, 36)) for char in compact[4:] + compact[:4])
    return int(number) % 97 == 1 and iban.is_valid(compact)


_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_IP = re.compile(r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b")
_PHONE = re.compile(
    r"(?<![\d+])\+[1-9](?:[ \u00a0./()-]{0,2}\d){6,14}(?!\d)"  # +49 (0)30 123456
    r"|(?<![\d.-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\d-])"  # (555) 555-0199
)
# A national number looks like any other: only a field or a word before it tells.
_PHONE_FIELD = re.compile(
    r"(?i:(?<![a-z])(?:tel(?:ephone)?|phone|mobile|cell|fax)(?:[ _-]?(?:no|nr|number))?)\.?"
    r"\\*[\"']?\s?[:=]?\s?\\*[\"']?"
    r"(?P<number>\(?\d(?:[ \u00a0./()-]{0,2}\d){5,13})(?!\d)"
)


def _phones(text: str) -> Iterator[Span]:
    found = [match.span() for match in _PHONE.finditer(text)]
    found += [match.span("number") for match in _PHONE_FIELD.finditer(text)]
    return _apart(found)


_PERSON = r"(?:customer|card[ _-]?holder|account[ _-]?holder|client|payer)"
_NAME_FIELD = (
    rf"(?:(?:{_PERSON}|holder)[ _-]?(?:full[ _-]?)?name|(?:first|last|full|given|family|middle|sur)[ _-]?name)"
)
_BETWEEN = r"(?:\\*[\"'])?\s*[:=]\s*"
_OPEN = r"(?P<quote>\\*[\"'])"
_WORD = r"[^\W\d_](?:[^\W\d_]|['’.-])*"
_WORDS = rf"(?P<words>{_WORD}(?: (?:(?:de|del|der|den|di|la|van|von|bin|al) )*(?=[^a-z]){_WORD}){{0,3}})"
_NAMES = (
    # "customer_name": "Ana Lo", whatever stands between the quotes
    re.compile(rf"(?i:(?<![a-z]){_NAME_FIELD}){_BETWEEN}{_OPEN}(?P<words>(?:(?!(?P=quote)).){{1,200}})(?P=quote)"),
    # "customer": "Ana Lo", but not "customer": "C-1009"
    re.compile(
        rf"(?i:(?<![a-z]){_PERSON}){_BETWEEN}{_OPEN}"
        r"(?P<words>(?:\\+u[0-9a-fA-F]{4}|(?!(?P=quote))[^\d\n\\]){1,200})(?P=quote)"
    ),
    # "customer": {"id": "C-1009", "name": "Ana Lo"
    re.compile(
        rf"(?i:(?<![a-z]){_PERSON})\\*[\"']\s*:\s*\{{[^{{}}]{{0,300}}?(?i:\\*[\"']name){_BETWEEN}{_OPEN}"
        r"(?P<words>(?:(?!(?P=quote)).){1,200})(?P=quote)"
    ),
    # customer name = ana lo, amount 50
    re.compile(rf"(?i:(?<![a-z]){_NAME_FIELD})\s*[:=]\s*(?!\S*\d){_WORDS}"),
    # cardholder: Ana Lo, but not customer: regular
    re.compile(rf"(?i:(?<![a-z]){_PERSON})\s*[:=]\s*(?!\S*\d)(?=[^a-z]){_WORDS}"),
)


def _names(text: str) -> Iterator[Span]:
    return _apart([match.span("words") for pattern in _NAMES for match in pattern.finditer(text)])


def _apart(found: list[Span]) -> Iterator[Span]:
    """Spans in their order, those left out that begin inside another."""
    free = 0
    for start, end in sorted(found):
        if start >= free:
            yield start, end
            free = end


def _matches(pattern: re.Pattern[str]) -> Callable[[str], Iterator[Span]]:
    return lambda text: (match.span() for match in pattern.finditer(text))


_FINDERS: dict[Kind, Callable[[str], Iterator[Span]]] = {
    "name": _names,
    "email": _matches(_EMAIL),
    "iban": _ibans,
    "card": _cards,
    "phone": _phones,
    "ssn": _matches(_SSN),
    "ip": _matches(_IP),
}
