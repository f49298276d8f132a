from __future__ import annotations

import random
from collections import Counter

import pytest

from finetune.forgetting.pairs import KINDS, Frame, make_pairs
from finetune.forgetting.texts import packaged_texts


def test_there_are_more_than_five_hundred_pairs_of_every_kind() -> None:
    pairs = make_pairs()
    assert len(pairs) >= 500
    assert Counter(pair.kind for pair in pairs) == dict.fromkeys(KINDS, 120)
    assert len({(pair.prompt, pair.right) for pair in pairs}) == len(pairs)


def test_pairs_are_well_formed() -> None:
    for pair in make_pairs(400):
        assert pair.right != pair.wrong
        assert pair.right.startswith(" ")
        assert pair.wrong.startswith(" ")
        assert pair.prompt == pair.prompt.strip()
        assert not set("{}[]") & set(pair.prompt + pair.right + pair.wrong)


def test_a_seed_decides() -> None:
    assert make_pairs(30, seed=3) == make_pairs(30, seed=3)
    assert make_pairs(30, seed=3) != make_pairs(30, seed=4)


def test_fewer_are_given_where_the_templates_run_out() -> None:
    fraud = [pair for pair in make_pairs(5000) if pair.kind == "fraud"]
    assert 120 < len(fraud) < 5000


def test_a_frame_draws_different_words_for_one_list() -> None:
    frame = Frame("{fruit} and {fruit2}", " {fruit2}", " {fruit}")
    assert frame.slots == ["fruit", "fruit2"]
    for seed in range(20):
        pair = frame.fill("x", {"fruit": ["pear", "plum"]}, random.Random(seed))
        assert {pair.right.strip(), pair.wrong.strip()} == {"pear", "plum"}
        assert pair.prompt.endswith(pair.right)


@pytest.mark.parametrize("kind", ["general", "fraud", "mixed"])
def test_texts_are_packaged(kind: str) -> None:
    assert all(len(text) > 100 for text in packaged_texts()[kind])
