"""The tree of fields that a schema asks for, and how each is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal[
    "address", "amount", "boolean", "card_last4", "channel", "charge_amount", "charge_date",
    "city", "country", "currency", "date", "duration",
    "effective_date", "email", "enum", "governing_law",
    "iban", "issuer", "letter_date", "letterhead", "liability_cap", "merchant", "notice", "number", "organisation",
    "payment_method", "person", "phone",
    "reason", "recipient", "reference", "renewal", "request", "term", "text", "timestamp", "title", "total", "url",
]  # fmt: skip
Fallback = Literal["first", "first_of_all", "most_common"]
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Leaf:
    """A field that holds one value.

    `labels` announce it in a document, surest first; `weak_labels` are parts of them that say little on their own;
    `excluding` are phrases that contain a label but mean something else. A `verbatim` value is the text as written
    instead of its normalised reading.
    """

    schema: Schema
    kind: Kind
    labels: tuple[str, ...] = ()
    weak_labels: tuple[str, ...] = ()
    excluding: tuple[str, ...] = ()
    fallback: Fallback | None = None
    verbatim: bool = False
    nullable: bool = True
    description: str = ""


@dataclass(frozen=True)
class Group:
    """An object with its members; `required` members are present even when they are null."""

    members: Mapping[str, Node]
    required: frozenset[str]
    nullable: bool = True


@dataclass(frozen=True)
class Repeated:
    """An array. `records` names a reader that finds whole records (`parties`, `line_items`) where there is one."""

    item: Node
    schema: Schema
    records: str | None = None
    labels: tuple[str, ...] = ()
    nullable: bool = True


Node = Leaf | Group | Repeated

_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "number": ("no", "nr", "num", "#", "id"), "no": ("number", "nr", "#"), "id": ("number", "no"),
    "quantity": ("qty",), "qty": ("quantity",),
    "telephone": ("tel", "phone"), "phone": ("tel", "telephone"), "organization": ("organisation",),
    "amount": ("amt",), "reference": ("ref",),
    "dob": ("date of birth", "born"), "vat": ("tax",), "address": ("addr",), "email": ("e-mail", "mail"),
    "description": ("desc", "item"),
    "name": ("item", "product"), "price": ("unit price", "rate"), "vendor": ("supplier", "seller"),
    "supplier": ("vendor", "seller"),
    "employer": ("company",), "salary": ("annual salary", "base salary"), "birthdate": ("date of birth",),
}  # fmt: skip
_GENERIC = frozenset(
    "name number no date id amount value code type text field details info total reference ref".split()
)
_WORD_KINDS: tuple[tuple[Kind, str], ...] = (
    ("iban", r"iban"),
    ("email", r"e ?mail"),
    ("card_last4", r"last ?4|last ?four"),
    ("phone", r"phone|tel|telephone|mobile|fax"),
    ("currency", r"currency"),
    ("url", r"url|website|homepage|link"),
    ("timestamp", r"timestamp|datetime|date ?time"),
    ("date", r"date|dob|birthday|birthdate|deadline|expiry|expires|issued|due on"),
    ("address", r"address"),
    ("governing_law", r"governing law|applicable law|jurisdiction"),
    ("liability_cap", r"liability cap|limitation of liability"),
    ("notice", r"notice period|termination notice|notice"),
    ("renewal", r"renewal"),
    ("duration", r"duration|term|period|warranty|length"),
    ("country", r"country"),
    ("city", r"city|town"),
    ("payment_method", r"payment method|paid by"),
    ("merchant", r"merchant|retailer|shop|store"),
    ("reference", r"number|no|id|reference|ref|identifier|sku|code|serial|vin"),
    ("amount", r"amount|total|subtotal|price|cost|fee|tax|balance|salary|rent|deposit|premium|payment|charge|rate"),
    ("issuer", r"supplier|vendor|issuer|seller|biller"),
    ("organisation", r"company|organi[sz]ation|employer|bank|institution|manufacturer|landlord company"),
    ("person", r"(?:customer|client|employee|patient|tenant|holder|contact|full|first|last|candidate|applicant|author|"
               r"signatory|person|doctor|guest) ?name|employee|"
               r"patient|tenant|landlord|cardholder|signatory|applicant|candidate|author|person"),
    ("title", r"document title|contract title"),
)  # fmt: skip
_MONEY_WORDS = re.compile(
    r"\b(?:amount|total|subtotal|price|cost|fee|tax|vat|balance|salary|rent|deposit|premium|payment|charge|due|paid|discount|sum|net|gross)\b"
)
_FORMAT_KINDS: Mapping[str, Kind] = {
    "date": "date",
    "date-time": "timestamp",
    "email": "email",
    "uri": "url",
    "duration": "duration",
}


def words_of(name: str) -> str:
    """A field name as lower-case words: `invoiceNumber` and `invoice_number` become `invoice number`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(re.split(r"[\s_\-.:/]+", spaced)).strip().lower()


def _labels(words: str, title: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    parts = words.split()
    labels = [words]
    if title and words_of(title) != words:
        labels.append(words_of(title))
    for index, part in enumerate(parts):
        labels += [" ".join([*parts[:index], other, *parts[index + 1 :]]) for other in _SYNONYMS.get(part, ())]
    if len(parts) == 2 and parts[1] in ("date", "number", "amount"):
        labels.append(f"{parts[1]} of {parts[0]}")
    if len(parts) == 2 and parts[0] == "total":
        labels.append(f"{parts[1]} total")
    weak: list[str] = []
    if len(parts) > 1:
        weak = [" ".join(parts[:-1])] if parts[-1] in _GENERIC else []
        weak += [parts[-1]] if parts[-1] in _GENERIC or len(parts[-1]) > 3 else []
        weak += [" ".join(parts[1:])] if len(parts) > 2 else []
    return tuple(dict.fromkeys(label for label in labels if label)), tuple(dict.fromkeys(weak))


def _kind(words: str, schema: Schema, type_name: str) -> Kind:
    if "enum" in schema or "const" in schema:
        return "enum"
    if type_name == "boolean":
        return "boolean"
    if type_name in ("number", "integer"):
        if type_name == "number" and _MONEY_WORDS.search(words):
            return "total" if re.search(r"\btotal\b", words) and "sub" not in words else "amount"
        return "number"
    named = _FORMAT_KINDS.get(str(schema.get("format")))
    if named:
        return named
    for kind, pattern in _WORD_KINDS:
        if re.search(rf"\b(?:{pattern})\b", words):
            return kind
    return "text"


def infer_leaf(name: str, schema: Schema, type_name: str, *, nullable: bool) -> Leaf:
    """Decide from name, type, format and description how a field of a caller's own schema is read."""
    words = words_of(name)
    description = str(schema.get("description", ""))
    labels, weak = _labels(words, str(schema.get("title", "")))
    kind = _kind(words, schema, type_name)
    normalised = schema.get("format") in _FORMAT_KINDS or re.search(
        r"\biso\b|8601|yyyy|n unit|4217", description, re.IGNORECASE
    )
    by_form = kind in ("currency", "card_last4", "iban", "boolean", "enum") or type_name != "string"
    return Leaf(
        schema=schema, kind=kind, labels=labels, weak_labels=weak, description=description, nullable=nullable,
        verbatim=not (by_form or normalised),
    )  # fmt: skip


def told_apart(root: Group) -> Group:
    """Each leaf excludes its siblings' labels that contain one of its own: `date` is not read beside "due date"."""
    every = [label for _, leaf in leaves(root) for label in leaf.labels]

    def rewritten(node: Node) -> Node:
        if isinstance(node, Group):
            return replace(node, members={name: rewritten(member) for name, member in node.members.items()})
        if isinstance(node, Repeated):
            return node
        others = (
            label for label in every if label not in node.labels and _contains(label, (*node.labels, *node.weak_labels))
        )
        return replace(node, excluding=tuple(dict.fromkeys((*node.excluding, *others))))

    members = {name: rewritten(member) for name, member in root.members.items()}
    return replace(root, members=members)


def _contains(label: str, parts: Sequence[str]) -> bool:
    return any(f" {part} " in f" {label} " for part in parts if part != label)


def leaves(node: Node, path: str = "") -> Sequence[tuple[str, Leaf]]:
    """All leaves outside arrays with their paths, in the schema's order."""
    if isinstance(node, Leaf):
        return [(path, node)]
    if isinstance(node, Repeated):
        return []
    found: list[tuple[str, Leaf]] = []
    for name, member in node.members.items():
        found += leaves(member, f"{path}.{name}" if path else name)
    return found
