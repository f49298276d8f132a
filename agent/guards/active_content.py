"""Text that does nothing wherever it is rendered: no images, no links of the model's making, no HTML, no scripts.

The page shows text only. Clients of the OpenAI and LangGraph protocols often render Markdown, and an image whose
address carries the conversation would be fetched without a click.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.knowledge.unicode import without_invisible

REMOVED = "‹link removed›"
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\(\s*<?([^()\s<>]{0,2000})>?[^()\n]{0,300}\)")
_IMAGE = re.compile(r"!+(?=\[)")
_URL = re.compile(r"(?:\b[a-z][a-z0-9+.-]{1,20}://|(?<![\w/])//(?=\w)|\bwww\.)[^\s<>\"'`\[\])}]+", re.IGNORECASE)
_WEB = re.compile(r"(?:https?://|www\.)\w", re.IGNORECASE)
_SCRIPT = re.compile(r"\b(javascript|vbscript|data|file|blob):(?=\S)", re.IGNORECASE)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
# From here on the next pieces decide what this is.
_UNDECIDED = re.compile(
    r"(?:\S*\[[^\[\]\n]{0,300}(?:\](?:\([^()\n]{0,2400}(?:\)\S*)?)?)?|[!<]|\S*(?:[:/<\[!]|www)\S*|[A-Za-z][\w+.-]*)\Z"
)


def harmless(text: str, sources: Sequence[str] = ()) -> str:
    """`text` without active content. Addresses that stand in one of the `sources` stay, as plain text."""

    def link(match: re.Match[str]) -> str:
        label, address = match[1], match[2]
        # "[1](http://...)": the citation stays.
        shown = f"[{label}]" if label.strip().isdigit() else label
        return f"{shown} ({address})" if _known(address, sources) else shown

    def address(match: re.Match[str]) -> str:
        found = match[0].rstrip(".,;:!?")
        return match[0] if _known(found, sources) else REMOVED + match[0][len(found) :]

    text = _LINK.sub(link, without_invisible(text))
    # Of nested links the outer ones are left: a space makes them text.
    text = _IMAGE.sub("", _URL.sub(address, text)).replace("](", "] (")
    return _TAG.sub("< ", _SCRIPT.sub(r"\1: ", text))


class ActiveContentFilter:
    """`harmless` for a stream: what may become a link or a tag waits until it is known."""

    def __init__(self, sources: Sequence[str] = ()) -> None:
        """Addresses in `sources` stay."""
        self._sources = sources
        self._held = ""

    def feed(self, text: str) -> str:
        """What may go out after this piece."""
        self._held += text
        undecided = _UNDECIDED.search(self._held)
        end = undecided.start() if undecided else len(self._held)
        ready, self._held = self._held[:end], self._held[end:]
        return harmless(ready, self._sources)

    def finish(self) -> str:
        """The rest."""
        rest, self._held = self._held, ""
        return harmless(rest, self._sources)


def _known(address: str, sources: Sequence[str]) -> bool:
    return bool(_WEB.match(address)) and any(address in source for source in sources)
