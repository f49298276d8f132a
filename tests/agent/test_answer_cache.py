from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.answer_cache import AnswerCache, AnswerKey
from agent.findings import Finding
from agent.results import Citation
from tools.ports import Message, Usage

KEY = AnswerKey(
    owner="ann",
    collection="default",
    corpus_version="v1",
    question="How long is the window?",
    document_ids=("a", "b"),
    model="m",
    prompt="prose.v1",
    judges="g r s",
)
CITATION = Citation(n=1, document_id="a", chunk_id="a#0", title="A", page=None, quote="90 days")
FOUND = Finding(
    {"evidence": {"probability": 0.9}, "passages": []},
    answer="90 days. [1]",
    citations=[CITATION],
    versions={"answer_model": "m"},
    usage=Usage(100, 20, 0.1),
)


def test_an_answer_comes_back_with_its_evidence_and_costs_nothing() -> None:
    cache = AnswerCache()
    assert cache.find(KEY) is None
    cache.store(KEY, FOUND)
    again = cache.find(KEY)
    assert again is not None
    assert again.answered_at is not None
    assert replace(again, answered_at=None, usage=FOUND.usage) == FOUND
    assert again.usage == Usage()


@pytest.mark.parametrize(
    "changed",
    [
        {"owner": "bob"},
        {"collection": "other"},
        {"corpus_version": "v2"},
        {"question": "How long is the Window?"},
        {"question": "How long is the window"},
        {"document_ids": ("a",)},
        {"document_ids": ()},
        {"document_ids": ("ab",)},
        {"model": "n"},
        {"prompt": "prose.v3"},
        {"judges": "g r t"},
        {"temperature": 0.0},
        {"max_tokens": 5},
        {"conversation": (Message("user", "And?"),)},
        {"owner": "annd", "collection": "efault"},
    ],
)
def test_whatever_differs_shares_no_answer(changed: dict[str, Any]) -> None:
    cache = AnswerCache()
    cache.store(KEY, FOUND)
    assert cache.find(replace(KEY, **changed)) is None


@pytest.mark.parametrize(
    "same",
    [
        {"question": "  How long\n is the\u200b window? "},
        {"document_ids": ("b", "a", "b")},
        {"document_ids": ["a", "b"]},
    ],
)
def test_what_nobody_sees_makes_no_difference(same: dict[str, Any]) -> None:
    cache = AnswerCache()
    cache.store(KEY, FOUND)
    assert cache.find(replace(KEY, **same)) is not None


def test_refusals_are_kept_and_degraded_answers_are_not() -> None:
    cache = AnswerCache()
    refused = Finding({}, reason="off_topic", suggestions=["What does the A say?"])
    cache.store(KEY, refused)
    found = cache.find(KEY)
    assert found is not None
    assert (found.reason, found.suggestions, found.answer) == ("off_topic", ["What does the A say?"], "")
    other = replace(KEY, question="another")
    cache.store(other, replace(FOUND, degraded=True))
    assert cache.find(other) is None


def test_what_was_not_asked_for_longest_goes_first() -> None:
    cache = AnswerCache(max_entries=2)
    first, second, third = (replace(KEY, question=f"question {n}") for n in range(3))
    cache.store(first, FOUND)
    cache.store(second, FOUND)
    assert cache.find(first) is not None
    cache.store(third, FOUND)
    assert [cache.find(key) is not None for key in (first, second, third)] == [True, False, True]
    assert len(cache) == 2


def test_bytes_are_bounded_and_counted() -> None:
    cache = AnswerCache()
    cache.store(KEY, FOUND)
    size = cache.size_bytes
    assert size > 0
    cache.store(KEY, FOUND)
    assert (len(cache), cache.size_bytes) == (1, size)
    small = AnswerCache(max_bytes=3 * size)
    for n in range(10):
        small.store(replace(KEY, question=f"question {n}"), FOUND)
        assert small.size_bytes <= 3 * size
    assert len(small) == 3
    small.store(KEY, replace(FOUND, answer="long " * size))
    assert (len(small), small.find(KEY)) == (3, None)


def test_nobody_can_change_what_the_next_one_gets() -> None:
    cache = AnswerCache()
    cache.store(KEY, FOUND)
    taken = cache.find(KEY)
    assert taken is not None
    taken.explanation["evidence"]["probability"] = 0.0
    again = cache.find(KEY)
    assert again is not None
    assert again.explanation == FOUND.explanation
