"""The choice of weights: its record, and that it follows the leg that is right."""

from __future__ import annotations

import json

import pytest

from eval.cases import REPOSITORY
from eval.retrieval.fit_fusion import Asked, catalogue, filled, result
from tools.knowledge.fusion import LEG_DEPTH, SPARSE_WEIGHT
from tools.knowledge.store import Hit


@pytest.mark.parametrize("right", ["dense", "sparse"])
def test_the_leg_that_is_right_gets_the_weight(right: str) -> None:
    good = [Hit("answer", 0.9), *(Hit(f"{n}", 0.85) for n in range(20))]
    bad = [Hit(f"{n}", 0.9 - n / 200) for n in range(20)]
    asked = [Asked(good, bad, "answer") if right == "dense" else Asked(bad, good, "answer")] * 3
    report = result({"kind": asked}, {"kind": asked})
    assert (report["best_weight"] < 0.5) == (right == "dense")
    assert report["held_out"]["kind"][right]["value"] == 1


def test_only_numbers_tell_parts_apart() -> None:
    parts, asked = catalogue(0)
    assert len(set(parts)) == len(parts)
    assert all(question.split()[3] in part.text for question, part in asked)
    assert catalogue(0) == (parts, asked) != catalogue(1)


def test_the_decision_record_shows_the_result_file() -> None:
    report = json.loads((REPOSITORY / "docs/results/fusion.json").read_text("utf-8"))
    record = (REPOSITORY / "docs/decisions/0019-fusion.md").read_text("utf-8")
    assert filled(record, report) == record
    assert (report["depth"], report["weight"]) == (LEG_DEPTH, SPARSE_WEIGHT)
