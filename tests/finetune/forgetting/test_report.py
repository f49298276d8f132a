from __future__ import annotations

import numpy as np
import pytest

from finetune.forgetting.likelihood import Floats, Line
from finetune.forgetting.measure import Likelihoods, Lines
from finetune.forgetting.pairs import Pair
from finetune.forgetting.report import compare_pairs, summarise

PAIRS = [Pair(kind, f"p{at}", " r", " w") for at in range(50) for kind in ("knowledge", "fraud")]
LINE = Line([1, 2, 3], 1)
LINES = Lines({"plain": [LINE] * 200, "chat": [LINE] * 200}, {"general": [LINE, LINE]})


def likelihoods(margins: Floats, text: float = -4.0) -> Likelihoods:
    return Likelihoods(margins, {"general": np.array([text, text])})


def states(lost: int) -> dict[str, Likelihoods]:
    """Everything known before; with the adapter the first `lost` pairs of the form `chat` are not."""
    known = np.ones((2, 100))
    after = known.copy()
    after[1, :lost] = -1
    return {"before": likelihoods(known), "adapter_on": likelihoods(after, -6.0), "adapter_off": likelihoods(known)}


def test_the_loss_is_the_mean_over_pairs_and_forms() -> None:
    report = summarise(PAIRS, LINES, states(lost=10), limit=2.0)
    assert report["all"]["loss_points"] == pytest.approx(5.0)
    assert report["all"]["lost"] == 10
    assert report["all"]["gained"] == 0
    low, high = report["all"]["interval"]
    assert low < 5 < high
    assert report["forms"]["chat"]["loss_points"] == pytest.approx(10.0)
    assert report["forms"]["plain"]["loss_points"] == 0
    assert report["kinds"]["knowledge"]["loss_points"] == pytest.approx(5.0)
    assert report["general"] == report["kinds"]["knowledge"]
    assert len(report["examples"]) == 10


@pytest.mark.parametrize(("lost", "within"), [(0, True), (4, True), (5, False)])
def test_the_limit_decides(lost: int, within: bool) -> None:
    assert summarise(PAIRS, LINES, states(lost), limit=2.0)["within_limit"] is within


def test_switched_off_means_no_difference_at_all() -> None:
    scored = states(lost=10)
    assert summarise(PAIRS, LINES, scored, 2.0)["off"] == {"largest_difference": 0.0, "loss_points": 0.0}
    scored["adapter_off"] = scored["adapter_on"]
    assert summarise(PAIRS, LINES, scored, 2.0)["off"] == {"largest_difference": 2.0, "loss_points": 5.0}


def test_perplexity_is_per_token() -> None:
    found = summarise(PAIRS, LINES, states(lost=0), 2.0)["perplexity"]["general"]
    assert found["tokens"] == 4
    assert found["before"] == pytest.approx(np.exp(2.0))
    assert found["ratio"] == pytest.approx(np.exp(1.0))


def test_gains_make_up_for_losses() -> None:
    scored = states(lost=0)
    before, after = np.ones((2, 100)), np.ones((2, 100))
    before[0, :6] = -1
    after[1, :6] = -1
    scored |= {"before": likelihoods(before), "adapter_on": likelihoods(after)}
    found = compare_pairs(scored, np.ones(100, dtype=bool))
    assert (found["lost"], found["gained"], found["loss_points"]) == (6, 6, 0.0)
