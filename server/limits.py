"""How much, how deep and how monotonous what people send may be: each limit with its sentence and code."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

MAX_MESSAGE_CHARS = 200_000
MAX_CONVERSATION_CHARS = 2_000_000
MAX_DOCUMENT_CHARS = 20_000_000
MAX_METADATA_CHARS = 16_384
MAX_DEPTH = 64
_WINDOW_CHARS = 4096
# Such a window of prose compresses to 1,500 bytes, of a table to 150 or more; of one sentence again and again to 85.
_FEWEST_BYTES = 100

TOO_LONG: Final = (
    "message_too_long",
    "The message has {length} characters; the limit is {limit}. Upload long texts as documents.",
)
REPETITIVE: Final = (
    "repetitive_message",
    "The message repeats the same words over and over. Shorten it to what is to be read.",
)
CONVERSATION_TOO_LONG: Final = (
    "conversation_too_long",
    "The messages have more than {limit} characters together. Send the last turns only, or use a thread.",
)
METADATA_TOO_LARGE: Final = "metadata_too_large", "The metadata has more than {limit} characters as JSON. Shorten it."
TOO_DEEP: Final = "too_deep", "The JSON is nested more than {limit} levels deep. Flatten it."


def is_repetitive(text: str) -> bool:
    """Whether a stretch of 4,096 characters says next to nothing: a few words a thousand times.

    Runs of white space count as one space: tables and forms are full of them.
    """
    shown = " ".join(text.split())
    windows = range(0, len(shown) - _WINDOW_CHARS + 1, _WINDOW_CHARS)
    return any(len(zlib.compress(shown[at : at + _WINDOW_CHARS].encode())) < _FEWEST_BYTES for at in windows)


def is_too_long(texts: Iterable[str]) -> bool:
    """Whether a conversation's messages are too much together."""
    return sum(map(len, texts)) > MAX_CONVERSATION_CHARS


def is_too_large(metadata: Mapping[str, Any]) -> bool:
    """Whether metadata is more than a note about something."""
    return len(json.dumps(metadata, ensure_ascii=False, default=str)) > MAX_METADATA_CHARS
