"""Passages with their parents: the chunks beside them in the same section, each a passage of its own.

A neighbour keeps its own chunk, page and text, so that what is quoted from it is cited where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tools.knowledge.documents import Passage
from tools.knowledge.points import passage_of
from tools.knowledge.store import chunk_point_id

Payloads = Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]]


def with_neighbours(passages: Sequence[Passage], payloads: Payloads) -> dict[str, list[Passage]]:
    """The neighbours of each passage by its chunk id, nearest first; none is listed twice or is a passage itself.

    `payloads` gives what is stored with points, by id. Neighbours score as the passage that brings them.
    """
    wanted = {chunk_point_id(chunk_id) for passage in passages for chunk_id in _beside(passage.chunk_id)}
    stored = payloads(sorted(wanted))
    seen = {passage.chunk_id for passage in passages}
    found: dict[str, list[Passage]] = {}
    for passage in passages:
        found[passage.chunk_id] = []
        for chunk_id in _beside(passage.chunk_id):
            payload = stored.get(chunk_point_id(chunk_id))
            if payload is None or chunk_id in seen:
                continue
            neighbour = passage_of(payload, passage.score)
            if (neighbour.heading, neighbour.page) == (passage.heading, passage.page):
                seen.add(chunk_id)
                found[passage.chunk_id].append(neighbour)
    return found


def within_budget(passages: Sequence[Passage], tokens: int, count_tokens: Callable[[str], int]) -> list[Passage]:
    """The first passages whose texts have at most `tokens` tokens together; one that does not fit is passed over."""
    kept: list[Passage] = []
    for passage in passages:
        needed = count_tokens(passage.text)
        if needed <= tokens:
            kept.append(passage)
            tokens -= needed
    return kept


def _beside(chunk_id: str) -> Iterator[str]:
    """The chunks after and before a chunk: what follows explains more often than what precedes."""
    document_id, _, ordinal = chunk_id.rpartition("#")
    for place in (int(ordinal) + 1, int(ordinal) - 1):
        if place >= 0:
            yield f"{document_id}#{place}"
