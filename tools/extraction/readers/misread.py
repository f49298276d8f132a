"""Patterns that also match what text recognition makes of their words."""

from __future__ import annotations

import re

_LOOKS_LIKE = {
    "a": "a", "b": "b8h", "c": "ce", "e": "ec", "f": "ft", "g": "gq", "h": "hb", "i": "ij1l", "j": "ji", "l": "l1i|",
    "o": "o0", "q": "qg", "s": "s5", "t": "tf",
}  # fmt: skip
_TOKEN = re.compile(r"\\.|\(\?P<\w+>|\(\?<?[a-z]*[:=!]|\[[^\]]*\]|\{[^}]*\}|.", re.DOTALL)


def misreadable(pattern: str) -> str:
    """The regular expression with every plain lower-case letter widened to the ones that it is taken for.

    `m` and `rn` match each other; classes, escapes and group names stay as they are. Meant for `re.IGNORECASE`.
    """
    return "".join(_widened(match.group()) for match in _TOKEN.finditer(pattern.replace("rn", "m")))


def _widened(token: str) -> str:
    if token == "m":
        return "(?:m|rn)"
    return f"[{_LOOKS_LIKE[token]}]" if token in _LOOKS_LIKE else token
