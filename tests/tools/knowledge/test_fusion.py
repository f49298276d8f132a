from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.knowledge.fusion import LEG_DEPTH, SPARSE_WEIGHT, reciprocal_ranks, weighted_scores
from tools.knowledge.store import Hit

HITS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.floats(-1, 30)), max_size=8, unique_by=lambda pair: pair[0]
).map(lambda pairs: hits(*sorted(pairs, key=lambda pair: -pair[1])))


def hits(*scored: tuple[str, float]) -> list[Hit]:
    return [Hit(point_id, score) for point_id, score in scored]


def test_scores_are_relative_to_the_best_of_their_leg() -> None:
    fused = weighted_scores(hits(("a", 0.8), ("b", 0.4)), hits(("b", 10.0)), weight=0.25)
    assert fused == [("a", pytest.approx(0.75)), ("b", pytest.approx(0.75 * 0.5 + 0.25))]


def test_a_leg_that_is_sure_of_its_hit_is_believed() -> None:
    """A part number that one passage holds: BM25 knows it, meaning sees a dozen like it."""
    alike = hits(*((f"part {n}", 0.60 - n / 1000) for n in range(12)))
    sure = hits(("part 11", 9.0), *((f"part {n}", 1.0) for n in range(11)))
    assert weighted_scores(alike, sure)[0][0] == "part 11"


def test_what_a_full_leg_leaves_out_is_as_good_as_its_last_hit() -> None:
    full = hits(*((f"{n}", 10.0 if n == 0 else 5.0) for n in range(LEG_DEPTH)))
    found = dict(weighted_scores(hits(("0", 0.5), ("other", 0.5)), full))
    assert found["other"] == pytest.approx((1 - SPARSE_WEIGHT) + SPARSE_WEIGHT * 0.5)
    assert dict(weighted_scores(hits(("0", 0.5), ("other", 0.5)), full[:-1]))["other"] == pytest.approx(
        1 - SPARSE_WEIGHT
    )


def test_one_leg_alone_keeps_its_order() -> None:
    found = hits(("b", 0.9), ("a", 0.2), ("c", 0.1))
    assert [point_id for point_id, _ in weighted_scores(found, [])] == ["b", "a", "c"]
    assert [point_id for point_id, _ in weighted_scores([], found)] == ["b", "a", "c"]


def test_nothing_is_alike() -> None:
    assert weighted_scores([], []) == []
    assert weighted_scores(hits(("b", -0.1), ("a", -0.2)), []) == [("a", 0.0), ("b", 0.0)]


def test_reciprocal_ranks_are_summed() -> None:
    fused = dict(reciprocal_ranks(hits(("a", 0.9), ("b", 0.8)), hits(("a", 3.0))))
    assert fused == {"a": pytest.approx(1.0), "b": pytest.approx(61 / 62 / 2)}


@given(HITS, HITS)
def test_every_hit_is_ranked_once_between_zero_and_one(dense: list[Hit], sparse: list[Hit]) -> None:
    for fuse in (weighted_scores, reciprocal_ranks):
        fused = fuse(dense, sparse)
        assert sorted(point_id for point_id, _ in fused) == sorted({hit.point_id for hit in (*dense, *sparse)})
        assert all(0 <= score <= 1 + 1e-9 for _, score in fused)
        assert fused == sorted(fused, key=lambda one: (-one[1], one[0]))


@given(HITS, HITS)
def test_a_hit_that_both_legs_rank_first_stays_first(dense: list[Hit], sparse: list[Hit]) -> None:
    dense, sparse = [Hit("!", 31.0), *dense], [Hit("!", 31.0), *sparse]
    assert weighted_scores(dense, sparse)[0][0] == "!"
