"""What a person says a field's value is: brought into the field's form, checked, and located in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tools.errors import InputError
from tools.extraction.extract import MAX_READ_CHARS
from tools.extraction.fields import Group, Kind, Leaf, Node, Repeated
from tools.extraction.grounding import evidence, locate
from tools.extraction.proposals import propose, readings
from tools.extraction.readers.amounts import ISO_CURRENCIES
from tools.extraction.readers.source import Candidate, Scalar, Source
from tools.extraction.records import BUILT_IN
from tools.extraction.results import Evidence
from tools.extraction.schemas import ExtractionSchema, resolve_schema
from tools.extraction.values import is_valid

# Kinds whose values are kept in another form than people write them.
_NORMALISED = frozenset[Kind]((
    "amount", "card_last4", "charge_amount", "charge_date", "currency", "date", "duration", "effective_date", "iban",
    "letter_date", "notice", "number", "term", "timestamp", "total",
))  # fmt: skip
_WORDS = {True: frozenset("yes true 1 on".split()), False: frozenset("no false 0 off".split())}
_INDEX = re.compile(r"\[(\d{1,4})\]")
_CENT = 0.005


@dataclass(frozen=True)
class Claim:
    """A value as a person states it; `None` says that the text has none.

    `quote` are the words that it was read from. A claim that is not `verbatim` need not stand in the text. `near` is
    where the record begins that the field is part of, if it is and that is known.
    """

    value: Scalar | None
    quote: str | None = None
    verbatim: bool = True
    near: int | None = None


@dataclass(frozen=True)
class CorrectedValue:
    """A value in its field's form; `evidence` is `None` for a null and for what stands nowhere."""

    value: Scalar | None
    evidence: Evidence | None


def correct(schema: ExtractionSchema, path: str, claim: Claim, text: str) -> CorrectedValue:
    """Take a person's word for a field. `14 March 2026` and `1,234.50 EUR` are brought into the field's form.

    Raises:
        InputError: `unknown_field`, the schema has no such value; `violates_schema`, it may not be this; `not_in_text`
            and `quote_not_found`, it or its quote stands nowhere. `details["field"]` is the path.
    """
    leaf = _leaf_at(schema.root, path)
    if leaf is None:
        raise InputError(
            f"{path!r} is no value of the schema {schema.name}. Those of a list are named like line_items[0].amount.",
            code="unknown_field",
            field=path,
        )
    if claim.value is None:
        return CorrectedValue(None, _quoted(claim, path, text))
    value = _in_form(leaf, claim.value)
    if not is_valid(value, leaf.schema) or not _fits_record(schema, path, value):
        raise InputError(
            f"{path} cannot be {claim.value!r}: the schema forbids it.", code="violates_schema", field=path
        )
    place = _quoted(claim, path, text)
    if place is None and claim.verbatim:
        place = _place(leaf, value, claim, text)
        if place is None:
            raise InputError(
                f"{claim.value!r} stands nowhere in the text. Give the words that it was read from as `quote`, or say "
                "`verbatim: false`.",
                code="not_in_text",
                field=path,
            )
    return CorrectedValue(value, place)


def _leaf_at(node: Node, path: str) -> Leaf | None:
    """The leaf that a path such as `line_items[0].amount` leads to. Names may hold dots and brackets themselves."""
    if isinstance(node, Leaf):
        return None if path else node
    if isinstance(node, Repeated):
        index = _INDEX.match(path)
        return None if index is None else _below(node.item, path[index.end() :])
    inside = (_below(member, path.removeprefix(name)) for name, member in node.members.items() if path.startswith(name))
    return next((leaf for leaf in inside if leaf is not None), None)


def _below(node: Node, rest: str) -> Leaf | None:
    if isinstance(node, Group):
        return _leaf_at(node, rest[1:]) if rest.startswith(".") else None
    return _leaf_at(node, rest)


def _in_form(leaf: Leaf, value: Scalar) -> Scalar:
    """The value as the field keeps it, where it can be; else as it is."""
    wanted = leaf.schema.get("type", "string")
    if not isinstance(value, str):
        whole = wanted == "integer" and isinstance(value, float) and value.is_integer()
        return int(value) if whole else value
    text = " ".join(value.split())
    if leaf.kind == "enum":
        options: list[Any] = [*leaf.schema.get("enum", ()), *([leaf.schema["const"]] if "const" in leaf.schema else [])]
        return next((option for option in options if str(option).casefold() == text.casefold()), text)
    if wanted == "boolean":
        return next((answer for answer, words in _WORDS.items() if text.casefold() in words), text)
    if leaf.kind not in _NORMALISED or leaf.verbatim:
        return text
    if leaf.kind == "currency" and text.upper() in ISO_CURRENCIES:
        return text.upper()
    source = Source(text)
    kinds: tuple[Kind, ...] = ("number", leaf.kind) if wanted in ("number", "integer") else (leaf.kind,)
    whole = (one.value for kind in kinds for one in readings(kind, source) if one.end - one.start == len(text))
    read = next(whole, text)
    return int(read) if wanted == "integer" and isinstance(read, float) and read.is_integer() else read


def _fits_record(schema: ExtractionSchema, path: str, value: Scalar) -> bool:
    """Whether a built-in record takes the value; its JSON Schema does not say all that its types check."""
    if schema.name not in BUILT_IN or resolve_schema(schema.name) is not schema:
        return True
    nested: Any = value
    for part in reversed(path.split(".")):
        name, bracket, _ = part.partition("[")
        nested = {name: [nested] if bracket else nested}
    try:
        BUILT_IN[schema.name].model_validate(nested, strict=True)
    except ValidationError:
        return False
    return True


def _quoted(claim: Claim, path: str, text: str) -> Evidence | None:
    if claim.quote is None:
        return None
    place = locate(text, claim.quote)
    if place is None:
        raise InputError(f"The quote for {path} stands nowhere in the text.", code="quote_not_found", field=path)
    return place


def _place(leaf: Leaf, value: Scalar, claim: Claim, text: str) -> Evidence | None:
    """Where the text says so: beside the field's labels, or in the field's record, or anywhere."""
    source = Source(text[:MAX_READ_CHARS])
    same = [one for one in _candidates(leaf, source) if _is_same(leaf, source, one, value)]
    if same:
        near = claim.near
        # A record's values stand behind its beginning.
        one = same[0] if near is None else min(same, key=lambda it: (it.start < near, abs(it.start - near)))
        return evidence(text, one.start, one.end)
    wordings = dict.fromkeys((str(claim.value), str(value)))
    starts = (0,) if claim.near is None else (claim.near, 0)
    places = (locate(source.text, wording, start) for start in starts for wording in wordings)
    return next((place for place in places if place is not None), None)


def _candidates(leaf: Leaf, source: Source) -> Iterator[Candidate]:
    yield from (proposal.candidate for proposal in propose(leaf, source))
    yield from readings(leaf.kind, source)


def _is_same(leaf: Leaf, source: Source, candidate: Candidate, value: Scalar) -> bool:
    found = candidate.value
    if isinstance(value, bool) or isinstance(found, bool):
        return found is value
    if isinstance(value, str):
        written = " ".join(source.text[candidate.start : candidate.end].split())
        return value in ((written,) if leaf.verbatim else (found, written))
    return not isinstance(found, str) and abs(found - value) < _CENT
