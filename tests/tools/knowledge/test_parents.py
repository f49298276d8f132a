from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.knowledge.passages import passage
from tools.knowledge.documents import Passage
from tools.knowledge.parents import with_neighbours, within_budget
from tools.knowledge.store import chunk_point_id

SECTION = ("Fees",)


def stored(*passages: Passage) -> dict[str, dict[str, Any]]:
    return {
        chunk_point_id(one.chunk_id): {
            "chunk_id": one.chunk_id,
            "document_id": one.document_id,
            "title": one.title,
            "text": one.text,
            "page": one.page,
            "heading": list(one.heading),
            "metadata": {},
        }
        for one in passages
    }


def neighbours(found: Sequence[Passage], kept: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    beside = with_neighbours(found, lambda ids: {one: kept[one] for one in ids if one in kept})
    return {chunk_id: [one.chunk_id for one in passages] for chunk_id, passages in beside.items()}


def chunk(ordinal: int, document: str = "doc", heading: tuple[str, ...] = SECTION, page: int | None = 1) -> Passage:
    return replace(passage(f"Text {ordinal}.", f"{document}#{ordinal}", heading=heading), page=page)


def test_the_chunks_after_and_before_come_with_their_own_places() -> None:
    kept = stored(*map(chunk, range(5)))
    [beside] = with_neighbours([replace(chunk(2), score=0.7)], lambda ids: {one: kept[one] for one in ids}).values()
    assert [(one.chunk_id, one.text, one.page, one.score) for one in beside] == [
        ("doc#3", "Text 3.", 1, 0.7),
        ("doc#1", "Text 1.", 1, 0.7),
    ]


@pytest.mark.parametrize("other", [{"heading": ("Fees", "Abroad")}, {"page": 2}, {"heading": ()}])
def test_another_section_or_page_is_no_neighbour(other: dict[str, Any]) -> None:
    kept = stored(chunk(0), chunk(1), replace(chunk(2), **other))
    assert neighbours([chunk(1)], kept) == {"doc#1": ["doc#0"]}


def test_what_was_found_or_stands_beside_a_better_passage_is_not_repeated() -> None:
    kept = stored(*map(chunk, range(6)))
    assert neighbours([chunk(1), chunk(3), chunk(4)], kept) == {
        "doc#1": ["doc#2", "doc#0"],
        "doc#3": [],
        "doc#4": ["doc#5"],
    }


def test_the_same_place_in_another_document_is_no_neighbour_and_ids_may_hold_the_mark() -> None:
    kept = stored(chunk(0, "a#1"), chunk(1, "a#1"), chunk(1, "a"))
    assert neighbours([chunk(0, "a#1")], kept) == {"a#1#0": ["a#1#1"]}


def test_a_chunk_that_stands_alone_or_whose_neighbours_are_gone_has_none() -> None:
    assert neighbours([chunk(0)], stored(chunk(0))) == {"doc#0": []}
    assert neighbours([], {}) == {}


@given(st.sets(st.integers(0, 12)), st.lists(st.integers(0, 12), unique=True))
def test_no_passage_is_read_twice(existing: set[int], found: list[int]) -> None:
    beside = neighbours([chunk(n) for n in found], stored(*(chunk(n) for n in existing | set(found))))
    read = [*beside, *(one for given in beside.values() for one in given)]
    assert len(read) == len(set(read))
    assert set(read) == {f"doc#{m}" for n in found for m in (n - 1, n, n + 1) if m in existing | set(found)}


@given(st.lists(st.integers(1, 9)), st.integers(0, 30))
def test_a_budget_is_never_overspent_and_what_fits_is_kept(sizes: list[int], tokens: int) -> None:
    passages = [passage("word " * size, f"doc#{n}") for n, size in enumerate(sizes)]
    kept = within_budget(passages, tokens, lambda text: len(text.split()))
    spent = sum(len(one.text.split()) for one in kept)
    assert spent <= tokens
    assert all(len(one.text.split()) > tokens - spent for one in passages if one not in kept)
    assert kept == [one for one in passages if one in kept]
