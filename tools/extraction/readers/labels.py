"""Labels ("Invoice No:", "total") and the values that stand beside or below them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tools.extraction.readers.source import Candidate, Line, Source

_SEPARATOR = re.compile(
    r"[*_`]{0,2}[\"']?(?:\s?\([^()\n]{0,12}\))?[ \t]*(?:[:=|\t]|\.{2,}|#:?|\s-\s|[ \u00a0]{2,})[*_`]{0,2}\s?"
)
_VALUE = re.compile(r"[ \t:=|]*(?:\"(?P<quoted>[^\"\n]{1,300})\"|(?P<plain>[^\n|;\f\t]{1,300}))")
_NEXT_PAIR = re.compile(
    r"\s*,\s*\"?[A-Za-z_][\w ]{0,25}\"?\s?[:=]|\s{3,}|\s+[A-Z][\w]{1,15}(?:\s[A-Za-z]\w{1,12})?:\s|[*_`]{2}"
)
_LINE_LABEL_TAIL = re.compile(r"[\s:=|.*#_-]*(?:\([^()\n]{0,12}\)[\s:]*)?$")


@dataclass(frozen=True)
class Label:
    """A place where one of a field's labels stands. `rank` is the label's position in the field's list."""

    start: int
    end: int
    rank: int
    leads: bool
    """The label opens its line (after bullets and quotes), as it does in forms and tables."""


@lru_cache(maxsize=4096)
def _pattern(label: str) -> re.Pattern[str]:
    words = [re.escape(word) for word in re.split(r"[\s_-]+", label.lower()) if word]
    return re.compile(r"(?<![^\W_])" + r"[\s_.\-/]{0,3}".join(words) + r"(?![^\W_])")


def find_labels(source: Source, labels: Sequence[str], limit: int = 40) -> Iterator[Label]:
    """Occurrences of the labels, at most `limit` for each, in the order of the list."""
    for rank, label in enumerate(labels):
        words = re.split(r"[\s_-]+", label.lower())
        if words[0] not in source.lowered:
            continue
        for count, match in enumerate(_pattern(label).finditer(source.lowered)):
            if count >= limit:
                break
            line = source.lines[source.line_number(match.start())]
            before = source.text[max(line.start, match.start() - 12) : match.start()]
            near_start = match.start() - line.start <= 12 and not re.search(r"\w", before)
            leads = near_start or bool(re.search(r"[|\"'{,;\t]\s?[*_]{0,2}[\"']?$|\s{3}$", before))
            yield Label(match.start(), match.end(), rank, leads)


def _clip(source: Source, start: int, end: int) -> tuple[int, int] | None:
    text = source.text
    while start < end and (text[start].isspace() or text[start] in ":=|*\"'#_`-"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in "|*\"'_`,"):
        end -= 1
    return (start, end) if end > start else None


def _same_line(source: Source, offset: int, line: Line) -> tuple[int, int] | None:
    match = _VALUE.match(source.text, offset, line.end)
    if match is None:
        return None
    start, end = match.span("quoted") if match["quoted"] else match.span("plain")
    if not match["quoted"]:
        start += len(source.text[start:end]) - len(source.text[start:end].lstrip())
        following = _NEXT_PAIR.search(source.text, start + 1, end)
        end = following.start() if following else end
    return _clip(source, start, end)


def value_after(source: Source, label: Label) -> tuple[int, int, float] | None:
    """The free text that a label announces, as (start, end, cue).

    On the label's line after a separator (cue 0.9), or the next line where the label has its line for itself (0.75).
    """
    line_index = source.line_number(label.start)
    line = source.lines[line_index]
    if _LINE_LABEL_TAIL.match(source.text, label.end, line.end):
        if not label.leads or line_index + 1 >= len(source.lines):
            return None
        following = source.lines[line_index + 1]
        span = _clip(source, following.start, min(following.end, following.start + 300))
        return (*span, 0.75) if span else None
    separator = _SEPARATOR.match(source.text, label.end, line.end)
    if separator is None:
        return None
    span = _same_line(source, separator.end(), line)
    return (*span, 0.9 if label.leads else 0.7) if span else None


def labelled_text(source: Source, labels: Sequence[str]) -> list[Candidate]:
    """Free text that stands beside or below one of the labels; earlier labels of the list are surer."""
    found: list[Candidate] = []
    for label in find_labels(source, labels):
        if value := value_after(source, label):
            start, end, cue = value
            found.append(Candidate(source.text[start:end], start, end, max(0.1, cue - 0.012 * label.rank)))
    return found
