"""Read a document into a schema: readers first, the model for what they leave open, every value located in the text."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.errors import InputError, ModelUnavailableError
from tools.extraction.arrays import items_of, rows_of
from tools.extraction.ask import PROMPT, Choice, ask, option_text
from tools.extraction.checks import check
from tools.extraction.fields import Group, Leaf, Node, Repeated, leaves
from tools.extraction.grounding import locate
from tools.extraction.plan import MIN_CONFIDENCE, Absent, Arbiter, Decision, Open, Settled, plan
from tools.extraction.readers.source import Candidate, Source
from tools.extraction.results import ExtractedValue, ExtractionResult
from tools.extraction.schemas import ExtractionSchema
from tools.extraction.values import null, value_of
from tools.ports import ChatModel, Usage

MAX_PROMPT_TOKENS = 700
MAX_READ_CHARS = 300_000
"""About 100 pages; what lies beyond is not read, and a warning says so."""
_DEGRADED_SCORE = 0.45
_READERS_ONLY = "readers"
_DEGRADED_WARNING = "The model did not answer: only what could be read without it is filled in."


async def extract(
    text: str,
    schema: ExtractionSchema,
    model: ChatModel,
    *,
    arbiter: Arbiter = "readers",
    max_prompt_tokens: int = MAX_PROMPT_TOKENS,
) -> ExtractionResult:
    """Read `text` into `schema`. Every value that is not null stands in the text at its evidence.

    The model is called, with a prompt of about `max_prompt_tokens`, for free text that no reader knows and, where it is
    the `arbiter`, for fields with several readings; a small model is the worse arbiter. When it does not answer, the
    deterministic readings are returned with a warning.
    """
    source = Source(text[:MAX_READ_CHARS])
    decisions = await asyncio.to_thread(plan, schema, source, arbiter)
    open_fields = {path: decision for path, (_, decision) in decisions.items() if isinstance(decision, Open)}
    choices: Mapping[str, Choice] | None = {}
    usage, answered_by = Usage(), _READERS_ONLY
    if open_fields:
        try:
            reply = await ask(source, open_fields, model, max_prompt_tokens)
            choices, usage, answered_by = reply.choices, reply.usage, reply.model
        except (ModelUnavailableError, InputError):
            choices = None
    assembly = await asyncio.to_thread(_assemble, schema.root, source, decisions, choices)
    degraded = choices is None
    asked = bool(open_fields) and not degraded
    return ExtractionResult(
        schema_name=schema.name,
        data=assembly.data,
        fields=assembly.fields,
        warnings=[*_notices(text, degraded=degraded), *check(assembly.data, source)],
        model=answered_by,
        usage=usage,
        degraded=degraded,
        prompt=PROMPT if asked else None,
    )


def _notices(text: str, *, degraded: bool) -> list[str]:
    cut = f"The document has {len(text)} characters; the first {MAX_READ_CHARS} were read."
    return [*([cut] if len(text) > MAX_READ_CHARS else []), *([_DEGRADED_WARNING] if degraded else [])]


def _value(
    source: Source, leaf: Leaf, decision: Decision, path: str, choices: Mapping[str, Choice] | None
) -> ExtractedValue:
    if isinstance(decision, Absent):
        return null("not_found")
    if isinstance(decision, Settled):
        if decision.proposal.score < MIN_CONFIDENCE:
            return null("low_confidence")
        return value_of(leaf, decision.proposal.candidate, source, decision.proposal.score, "reader")
    if choices is None:
        best = decision.options[0] if decision.options else None
        if best is None or best.score < _DEGRADED_SCORE:
            return null("low_confidence" if best else "not_found")
        return value_of(leaf, best.candidate, source, best.score, "reader")
    if path not in choices:
        return null("model_truncated")
    return _chosen(source, decision, choices[path])


def _chosen(source: Source, field: Open, choice: Choice) -> ExtractedValue:
    """The option that the model named, or its free text located in the source."""
    if choice.text is None:
        return null("not_found")
    for index, option in enumerate(field.options):
        if option_text(source, field, index) == choice.text:
            confidence = (option.score + choice.probability) / 2
            if confidence < MIN_CONFIDENCE:
                return null("low_confidence")
            return value_of(field.leaf, option.candidate, source, confidence, "model")
    place = locate(source.text, choice.text)
    if place is None:
        return null("not_found")
    if choice.probability < (field.least if choice.measured else MIN_CONFIDENCE):
        return null("low_confidence")
    candidate = Candidate(" ".join(place.quote.split()), place.start, place.end)
    return value_of(field.leaf, candidate, source, choice.probability, "model")


@dataclass
class _Assembly:
    """Data in the schema's shape together with its flat map of fields."""

    data: dict[str, Any] = field(default_factory=dict[str, Any])
    fields: dict[str, ExtractedValue] = field(default_factory=dict[str, ExtractedValue])


def _assemble(
    root: Group,
    source: Source,
    decisions: Mapping[str, tuple[Leaf, Decision]],
    choices: Mapping[str, Choice] | None,
) -> _Assembly:
    values = {path: _value(source, leaf, decision, path, choices) for path, (leaf, decision) in decisions.items()}
    assembly = _Assembly()
    assembly.data = _group(root, "", source, values, assembly.fields)
    return assembly


def _group(
    group: Group, prefix: str, source: Source, values: Mapping[str, ExtractedValue], fields: dict[str, ExtractedValue]
) -> dict[str, Any]:
    """The members of an object. An optional member that may not be null is left out where it was not found."""
    data: dict[str, Any] = {}
    for name, member in group.members.items():
        value = _member(member, f"{prefix}{name}", source, values, fields)
        if value is not None or member.nullable or name in group.required:
            data[name] = value
    return data


def _member(
    node: Node, path: str, source: Source, values: Mapping[str, ExtractedValue], fields: dict[str, ExtractedValue]
) -> Any:
    if isinstance(node, Leaf):
        fields[path] = values[path]
        return values[path].value
    if isinstance(node, Repeated):
        return _array(node, path, source, fields)
    inner = _group(node, f"{path}.", source, values, fields)
    empty = all(values[inside].value is None for inside, _ in leaves(node, path))
    return None if empty and not inner else inner


def _array(node: Repeated, path: str, source: Source, fields: dict[str, ExtractedValue]) -> list[Any] | None:
    """The elements that were read and satisfy the schema; `None` where there are none or too few."""
    read: dict[str, ExtractedValue] = {}
    elements: list[Any] = []
    for cells in _elements(node, source):
        place = f"{path}[{len(elements)}]"
        element = _element(node.item, place, source, cells, read)
        if element is not None and not (node.schema.get("uniqueItems") and element in elements):
            elements.append(element)
    limit = node.schema.get("maxItems")
    if isinstance(limit, int | float):
        elements = elements[: int(limit)]
        read = {key: value for key, value in read.items() if int(key[len(path) + 1 :].partition("]")[0]) < limit}
    if not elements or len(elements) < node.schema.get("minItems", 0):
        fields[path] = null("not_found" if not elements else "violates_schema")
        return None
    fields.update(read)
    return elements


def _elements(node: Repeated, source: Source) -> list[Mapping[str, Candidate]]:
    if isinstance(node.item, Group):
        return list(rows_of(node, node.item, source))
    if isinstance(node.item, Leaf):
        return [{"": candidate} for candidate in items_of(node, node.item, source)]
    return []


def _element(
    node: Node, path: str, source: Source, cells: Mapping[str, Candidate], fields: dict[str, ExtractedValue]
) -> Any:
    if isinstance(node, Leaf):
        value = value_of(node, cells[""], source, cells[""].cue, "reader")
        if value.value is not None:
            fields[path] = value
        return value.value
    assert isinstance(node, Group)
    inside = {
        f"{path}.{name}": value_of(member, cells[name], source, cells[name].cue, "reader")
        if name in cells
        else null("not_found")
        for name, member in node.members.items()
        if isinstance(member, Leaf)
    }
    if all(value.value is None for value in inside.values()):
        return None
    inside |= {f"{path}.{name}.{below}": null("not_found") for name, member in node.members.items()
               if isinstance(member, Group) for below, _ in leaves(member)}  # fmt: skip
    return _group(node, f"{path}.", Source(""), inside, fields)


__all__ = ["MAX_PROMPT_TOKENS", "MIN_CONFIDENCE", "extract"]
