"""The parts of a document that matter for the open fields, within a token budget."""

from __future__ import annotations

from collections.abc import Sequence

from tools.extraction.plan import Open, topic_words
from tools.extraction.readers.source import Source

CHARS_PER_TOKEN = 2.0
"""Cautious for text full of digits, which the embedded model's tokenizer splits one by one."""
_CONTEXT = 90
_TOPIC_HITS = 3
_TOPIC_CONTEXT = 220


def windows(source: Source, fields: Sequence[Open], max_tokens: int) -> str:
    """Excerpts around the fields' options and topic words in the order of the text, joined by `...`."""
    budget = int(max_tokens * CHARS_PER_TOKEN)
    if len(source.text) <= budget:
        return source.text
    wanted: list[tuple[int, int]] = []
    for spans in _interleaved([_spans(source, field) for field in fields]):
        merged = _merge([*wanted, spans])
        if sum(end - start for start, end in merged) > budget:
            continue
        wanted = merged
    if not wanted:
        wanted = [(0, budget)]
    return "\n...\n".join(source.text[start:end].strip() for start, end in wanted)


def _spans(source: Source, field: Open) -> list[tuple[int, int]]:
    size = len(source.text)
    around = [(max(0, o.candidate.start - _CONTEXT), min(size, o.candidate.end + _CONTEXT)) for o in field.options]
    if around:
        return around
    for word in sorted(topic_words(field.leaf), key=len, reverse=True):
        found = source.lowered.find(word)
        for _ in range(_TOPIC_HITS):
            if found < 0:
                break
            around.append((max(0, found - _CONTEXT), min(size, found + _TOPIC_CONTEXT)))
            found = source.lowered.find(word, found + _TOPIC_CONTEXT)
    return around


def _interleaved(lists: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    """The first span of each field, then the second of each, so that no field starves another."""
    longest = max((len(spans) for spans in lists), default=0)
    return [spans[rank] for rank in range(longest) for spans in lists if rank < len(spans)]


def _merge(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1] + 10:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
