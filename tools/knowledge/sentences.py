"""Sentences with exact offsets: what a citation points at.

A sentence may run over wrapped lines; headings, list items and table rows are sentences of their own. Rules, not a
model: abbreviations, initials, decimals, "No. 5" and dotted acronyms do not end a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Sentence:
    """A sentence, verbatim: `text == source[start:end]`."""

    text: str
    start: int
    end: int


LIST_MARKER = re.compile(r"[ \t]*(?:[-*+•▪◦‣●○■–]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{2,4})[.)])[ \t]+(?=\S)")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]")
# "Limit: 500 EUR": lines of a form, a mail header, an invoice.
_FIELD = re.compile(r"[ \t]*[A-Z][\w'./ -]{0,30}:[ \t]+\S")
_LINE = re.compile(r"[^\n\f]*(?:[\n\f]|$)")
# Possessive quantifiers: a line of ten thousand dots must not be searched again from each of them.
_BOUNDARY = re.compile(
    r"(?<![.!?…])(?P<stop>[.!?…]++)[\"'”’»)\]]*+(?=\s++[\"'“‘«(\[]*+(?P<next>\S))"  # a stop, then white space
    r"|(?P<wide>[。！？]++)[」』”）]*+"  # CJK needs no white space
)
_LAST_WORD = re.compile(r"[^\s\"'“‘«(\[]+$")
_NEXT_WORD = re.compile(r"[\s\"'“‘«(\[]*(\w+)")
_WORD_WINDOW = 40
_MAX_SECTION_NUMBER = 12

_TITLES = frozenset("mr mrs ms dr prof rev hon st messrs capt sgt lt vs cf e.g eg i.e ie viz ca approx".split())
# May end a sentence: what follows tells.
_ABBREVIATIONS = frozenset(
    "sr jr nos nr art arts sec sect ch para paras p pp fig figs vol ed eds cl ref refs tel ext max min avg est dept"
    " acct attn incl excl gen col jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri"
    " etc al inc ltd co corp plc llc gmbh"
    " bros".split()
)
_STARTERS = frozenset(
    "a all an and any as at but by each every for from he her his however i if in it its my no on once our she so the"
    " their there these they this those to we when where while with you your please".split()
)
_DOTTED = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")


def split_sentences(text: str) -> list[Sentence]:
    """Split `text` into sentences in order; every character that is not white space is in exactly one of them."""
    spans = [span for start, end in _segments(text) for span in _split_segment(text, start, end)]
    return [Sentence(text[start:end], start, end) for start, end in spans]


def is_table_row(line: str) -> bool:
    """Return whether a line holds cells: it starts with a pipe, or has two separators (` | ` or tabs)."""
    stripped = line.strip()
    return stripped.startswith("|") or stripped.count(" | ") > 1 or stripped.count("\t") > 1


def is_rule(line: str) -> bool:
    """Return whether a line only underlines what is above it, as `|---|---|` does below a table's header."""
    return "--" in line and not line.strip("|:- \t\n\f")


def _segments(text: str) -> Iterator[tuple[int, int]]:
    """Yield spans that no sentence crosses: paragraphs, headings, list items, table rows."""
    start, end = 0, 0
    kind: Literal["prose", "line"] | None = None
    for match in _LINE.finditer(text):
        line = match.group()
        alone = bool(_HEADING.match(line)) or is_table_row(line)
        underlines = kind is not None and is_rule(line)
        begins = alone or LIST_MARKER.match(line) or _FIELD.match(line)
        continues = kind == "prose" and bool(line.strip()) and not begins
        if kind is not None and not (underlines or continues):
            yield start, end
            kind = None
        if not line.strip():
            continue
        if kind is None:
            start = match.start()
        kind, end = ("line" if alone or underlines else "prose"), match.end()
        if line.endswith("\f"):
            yield start, end
            kind = None
    if kind is not None:
        yield start, end


def _split_segment(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    first = start
    line = text[start:end].split("\n", 1)[0]
    if not (is_table_row(line) or _HEADING.match(line)):
        marker = LIST_MARKER.match(text, start, end)
        for match in _BOUNDARY.finditer(text, marker.end() if marker else start, end):
            if match.group("wide") or _ends_sentence(text, first, match):
                yield from _stripped(text, first, match.end())
                first = match.end()
    yield from _stripped(text, first, end)


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    part = text[start:end]
    if stripped := part.strip():
        offset = start + part.index(stripped[0])
        yield offset, offset + len(stripped)


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    following = match.group("next")
    if following.islower():
        return False
    if match.group("stop") != ".":
        return True
    before = _LAST_WORD.search(text[max(start, match.start() - _WORD_WINDOW) : match.start()])
    word = before.group() if before else ""
    if match.start() - start <= _MAX_SECTION_NUMBER and not text[start : match.start()].strip("0123456789. \t\n"):
        return False
    if word.lower() in _TITLES:
        return False
    if word.lower() == "no":
        return not following.isdigit()
    is_initial = len(word) == 1 and word.isupper() and word != "I"
    if is_initial or word.lower() in _ABBREVIATIONS or _DOTTED.fullmatch(word):
        next_word = _NEXT_WORD.match(text, match.end())
        return next_word is not None and next_word.group(1).lower() in _STARTERS
    return True
