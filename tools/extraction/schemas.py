"""Schemas to extract into: the built-in records, or any JSON Schema object that a caller brings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import orjson
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from tools.errors import InputError
from tools.extraction.fields import Group, Leaf, Node, Repeated, Schema, infer_leaf, leaves, told_apart, words_of
from tools.extraction.records import BUILT_IN

MAX_SCHEMA_BYTES = 64 * 1024
MAX_FIELDS = 200
_MAX_DEPTH = 48
_UNSUPPORTED = frozenset(
    "not if then else patternProperties propertyNames dependentRequired dependentSchemas dependencies "
    "unevaluatedProperties "
    "unevaluatedItems contains prefixItems minProperties maxProperties $dynamicRef $recursiveRef".split()
)
_SLOW_PATTERN = re.compile(r"\([^()]*[+*}|][^()]*\)[+*{]")
_TYPES = frozenset("string number integer boolean object array null".split())


@dataclass(frozen=True)
class ExtractionSchema:
    """A schema that can be read: its name, its JSON Schema and the tree of its fields."""

    name: str
    json_schema: Mapping[str, Any]
    root: Group

    @property
    def output_schema(self) -> dict[str, Any]:
        """JSON Schema of the data that comes back: the caller's, with null allowed everywhere as an honest "absent"."""
        return relaxed(self.root)


def relaxed(node: Node) -> dict[str, Any]:
    """The JSON Schema of a node in which every value may be null."""
    if isinstance(node, Leaf):
        return {"anyOf": [dict(node.schema), {"type": "null"}]}
    if isinstance(node, Repeated):
        limits = {key: node.schema[key] for key in ("minItems", "maxItems", "uniqueItems") if key in node.schema}
        return {"anyOf": [{"type": "array", "items": relaxed(node.item), **limits}, {"type": "null"}]}
    members = {name: relaxed(member) for name, member in node.members.items()}
    group = {"type": "object", "properties": members, "required": sorted(node.required), "additionalProperties": False}
    return {"anyOf": [group, {"type": "null"}]}


def resolve_schema(name_or_schema: str | Mapping[str, Any]) -> ExtractionSchema:
    """Turn the name of a built-in record or a JSON Schema into something that can be read.

    Raises:
        InputError: `unknown_schema` for a name that is none of the built-in ones; `invalid_schema` for something that
            is no JSON Schema; `unsupported_schema` for one that is recursive, too large or not an object.
    """
    if isinstance(name_or_schema, str):
        if name_or_schema not in BUILT_IN:
            raise InputError(
                f"There is no schema {name_or_schema!r}; there are {', '.join(BUILT_IN)}, or pass a JSON Schema.",
                code="unknown_schema", schemas=list(BUILT_IN),
            )  # fmt: skip
        return _built_in(name_or_schema)
    _check(name_or_schema)
    root = _Builder(name_or_schema).build()
    title = name_or_schema.get("title")
    name = title if isinstance(title, str) and title else "custom"
    return ExtractionSchema(name, name_or_schema, told_apart(root))


@cache
def _readings() -> dict[str, dict[str, dict[str, Any]]]:
    text = resources.files("tools.extraction").joinpath("readings.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(text)
    return loaded


@cache
def _built_in(name: str) -> ExtractionSchema:
    schema = BUILT_IN[name].model_json_schema()
    root = _with_readings(_Builder(schema).build(), _readings()[name], "")
    assert isinstance(root, Group)
    return ExtractionSchema(name, schema, told_apart(root))


def _with_readings(node: Node, readings: Mapping[str, Mapping[str, Any]], path: str) -> Node:
    if isinstance(node, Group):
        prefix = f"{path}." if path else ""
        return replace(node, members={n: _with_readings(m, readings, prefix + n) for n, m in node.members.items()},
                       required=frozenset(node.members))  # fmt: skip
    reading = readings[path]
    labels = tuple(reading.get("labels", ()))
    if isinstance(node, Repeated):
        return replace(
            node, item=_with_readings(node.item, readings, f"{path}[]"), records=reading["kind"], labels=labels
        )
    return replace(
        node, kind=reading["kind"], labels=labels, weak_labels=(), excluding=tuple(reading.get("excluding", ())),
        fallback=reading.get("fallback"), verbatim=False,
    )  # fmt: skip


def _unsupported(message: str, **details: Any) -> InputError:
    return InputError(message, code="unsupported_schema", **details)


def _check(schema: Mapping[str, Any]) -> None:
    _check_depth(schema)
    try:
        size = len(orjson.dumps(schema))
    except TypeError as error:
        raise InputError("The schema is not JSON.", code="invalid_schema") from error
    if size > MAX_SCHEMA_BYTES:
        raise _unsupported(f"The schema has {size} bytes; at most {MAX_SCHEMA_BYTES} are read.", bytes=size)
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        raise InputError(f"This is no valid JSON Schema: {error.message[:200]}", code="invalid_schema",
                         path=list(error.absolute_path)) from error  # fmt: skip


def _check_depth(schema: Mapping[str, Any]) -> None:
    level: list[Any] = [schema]
    for _ in range(_MAX_DEPTH):
        nested: list[Any] = []
        for item in level:
            children = item.values() if isinstance(item, Mapping) else item  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            nested += [child for child in children if isinstance(child, Mapping | list)]  # pyright: ignore[reportUnknownVariableType]
        if not nested:
            return
        level = nested
    raise _unsupported(f"The schema is nested more than {_MAX_DEPTH} levels deep.")


class _Builder:
    """Reads a checked JSON Schema into a tree of fields."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._fields = 0
        self._nodes = 0

    def build(self) -> Group:
        node = self._node(self._schema, "", ())
        if not isinstance(node, Group):
            raise _unsupported("The schema must describe an object at its top.")
        if self._fields == 0:
            raise _unsupported("The schema names no fields.")
        return node

    def _resolved(self, schema: Any, stack: tuple[str, ...]) -> tuple[Schema, tuple[str, ...]]:
        """Follow `$ref` and merge `allOf`; `stack` holds the references that are being followed."""
        if not isinstance(schema, Mapping):
            return ({} if schema is True else {"enum": []}), stack
        merged: dict[str, Any] = dict(schema)  # pyright: ignore[reportUnknownArgumentType]
        while "$ref" in merged:
            pointer = str(merged.pop("$ref"))
            if pointer in stack:
                raise _unsupported("The schema is recursive.", ref=pointer)
            stack = (*stack, pointer)
            target = self._target(pointer)
            merged = {**target, **merged}
        followed = stack
        for part in merged.pop("allOf", ()):
            resolved, inner = self._resolved(part, stack)
            followed = (*followed, *inner)
            properties = {**merged.get("properties", {}), **resolved.get("properties", {})}
            required = [*merged.get("required", ()), *resolved.get("required", ())]
            merged = {**merged, **resolved}
            if properties:
                merged |= {"properties": properties, "required": required}
        if unknown := _UNSUPPORTED & merged.keys():
            raise _unsupported(f"The keyword {min(unknown)!r} cannot be extracted into.", keyword=min(unknown))
        return merged, followed

    def _target(self, pointer: str) -> dict[str, Any]:
        if pointer != "#" and not pointer.startswith("#/"):
            raise _unsupported("Only references inside the schema are followed.", ref=pointer)
        found: Any = self._schema
        for part in pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or key not in found:
                raise InputError("A reference leads nowhere.", code="invalid_schema", ref=pointer)
            found = found[key]  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(found, Mapping):
            raise InputError("A reference does not lead to a schema.", code="invalid_schema", ref=pointer)
        return dict(found)  # pyright: ignore[reportUnknownArgumentType]

    def _node(self, schema: Any, name: str, stack: tuple[str, ...]) -> Node:
        self._nodes += 1
        if self._nodes > MAX_FIELDS * 10:
            raise _unsupported("The schema unfolds to too many parts.")
        resolved, stack = self._resolved(schema, stack)
        resolved, nullable, stack = self._without_null(resolved, stack)
        type_name = _type_of(resolved)
        if type_name == "object":
            return self._group(resolved, nullable, stack)
        if type_name == "array":
            item = self._node(resolved.get("items", True), name.removesuffix("s"), stack)
            records = "line_items" if isinstance(item, Group) else None
            return Repeated(item, resolved, records, (words_of(name),), nullable)
        self._fields += 1
        if self._fields > MAX_FIELDS:
            raise _unsupported(f"The schema has more than {MAX_FIELDS} fields.", limit=MAX_FIELDS)
        _check_pattern(resolved.get("pattern"))
        return infer_leaf(name, resolved, type_name, nullable=nullable)

    def _without_null(self, schema: Schema, stack: tuple[str, ...]) -> tuple[Schema, bool, tuple[str, ...]]:
        """Take null out of a union and keep its first other branch: a value of that branch satisfies the union."""
        types = schema.get("type")
        if isinstance(types, list):
            others = [name for name in types if name != "null"]  # pyright: ignore[reportUnknownVariableType]
            narrowed: Schema = {**schema, "type": others[0] if others else "null"}
            return narrowed, "null" in types, stack
        for key in ("anyOf", "oneOf"):
            if key not in schema:
                continue
            rest = {name: value for name, value in schema.items() if name != key}
            branches = [branch for branch in schema[key] if branch != {"type": "null"}]
            chosen, stack = self._resolved(branches[0] if branches else {"type": "null"}, stack)
            inner, nullable, stack = self._without_null({**rest, **chosen}, stack)
            return inner, nullable or len(branches) < len(schema[key]), stack
        return schema, types == "null" or (None in schema["enum"] if "enum" in schema else False), stack

    def _group(self, schema: Schema, nullable: bool, stack: tuple[str, ...]) -> Group:
        properties: Mapping[str, Any] = schema.get("properties", {})
        required: list[str] = schema.get("required", [])
        undeclared = [name for name in required if name not in properties]
        if undeclared and schema.get("additionalProperties") is False:
            raise InputError(
                "A required field is forbidden by the same schema.", code="invalid_schema", fields=undeclared
            )
        members = {name: self._node(member, name, stack) for name, member in properties.items()}
        members |= {name: self._node({"type": "string"}, name, stack) for name in undeclared}
        return Group(members, frozenset(required), nullable)


def _type_of(schema: Schema) -> str:
    if (named := schema.get("type")) in _TYPES:
        return str(named)
    if "properties" in schema:
        return "object"
    if "items" in schema:
        return "array"
    return "string"


def _check_pattern(pattern: object) -> None:
    if pattern is None:
        return
    if len(str(pattern)) > 300 or _SLOW_PATTERN.search(str(pattern)):
        raise _unsupported("A pattern of the schema could take too long to match.", pattern=str(pattern)[:80])
    try:
        re.compile(str(pattern))
    except re.error as error:
        raise InputError("A pattern of the schema is no regular expression.", code="invalid_schema") from error


__all__ = ["MAX_FIELDS", "MAX_SCHEMA_BYTES", "ExtractionSchema", "leaves", "relaxed", "resolve_schema"]
