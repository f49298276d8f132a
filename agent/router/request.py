"""What a message asks for, apart from the record pasted into it."""

from __future__ import annotations

import re

_RECORD_START = re.compile(r"[\[{]\s{0,20}[\[{\"']")
_LEAST_WORDS = 3


def request_without_record(text: str) -> str | None:
    """The words around a pasted JSON record, or `None` where there is no record or too few words beside it."""
    start = _RECORD_START.search(text)
    end = max(text.rfind("}"), text.rfind("]"))
    if start is None or end < start.end():
        return None
    words = f"{text[: start.start()]} {text[end + 1 :]}".split()
    return " ".join(words) if len(words) >= _LEAST_WORDS else None
