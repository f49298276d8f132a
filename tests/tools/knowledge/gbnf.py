"""The sentences of a GBNF grammar that has finitely many: rules of alternatives, sequences, literals and names."""

from __future__ import annotations

import re

_RULE = re.compile(r"^(\w+) ::= (.*)$", re.MULTILINE)
_ITEM = re.compile(r'"(?P<literal>(?:[^"\\]|\\.)*)"|(?P<name>\w+)|(?P<bar>\|)|\s+')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "[": "[", "]": "]"}


def language(grammar: str) -> set[str]:
    """Every text that the rule `root` admits. Raises `ValueError` for what this reader does not know."""
    rules = dict(_RULE.findall(grammar))
    if sum(len(match.group()) for match in _RULE.finditer(grammar)) + grammar.count("\n") != len(grammar):
        raise ValueError(f"not only rules: {grammar!r}")
    return _expand("root", rules)


def _expand(rule: str, rules: dict[str, str]) -> set[str]:
    finished: set[str] = set()
    sequences = {""}
    position, body = 0, rules[rule]
    while position < len(body):
        item = _ITEM.match(body, position)
        if item is None:
            raise ValueError(f"cannot read {body[position:]!r}")
        position = item.end()
        if item["bar"]:
            finished |= sequences
            sequences = {""}
        elif item["name"]:
            sequences = {left + right for left in sequences for right in _expand(item["name"], rules)}
        elif item["literal"] is not None:
            sequences = {left + _unescape(item["literal"]) for left in sequences}
    return finished | sequences


def _unescape(literal: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES[match[1]], literal)
