from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.models.files import EMBEDDING_MODEL
from agent.router.head import RouterHead, fit_head, head_key, head_path, load_or_fit
from agent.router.router import PACKAGED_HEADS
from agent.router.utterances import INTENTS, SPLITS, Utterances
from tools.knowledge.embed import MiniLMEmbedder

_PER_CELL = 6


@pytest.fixture(scope="module")
def few(utterances: Utterances) -> Utterances:
    """A few short utterances of each class and split: fitted in a moment."""
    rows = [
        row
        for intent in INTENTS
        for split in SPLITS
        for row in [r for r in utterances.of(split) if r.intent == intent and len(r.text) < 80][:_PER_CELL]
    ]
    return Utterances(rows, "few")


def test_probabilities_sum_to_one(few: Utterances, embedder: MiniLMEmbedder) -> None:
    head = fit_head(few, embedder, "key")
    for text in ("how long?", "", "💥" * 50, "extract this: " + "a" * 5000):
        assert sum(head.probabilities(embedder, text).values()) == pytest.approx(1, abs=1e-5)


def test_a_cached_head_equals_a_refitted_one(few: Utterances, embedder: MiniLMEmbedder, tmp_path: Path) -> None:
    fitted = load_or_fit(few, embedder, "model", [tmp_path])
    cached = load_or_fit(few, embedder, "model", [tmp_path])
    again = fit_head(few, embedder, fitted.key)
    for head in (cached, again):
        np.testing.assert_allclose(head.weights, fitted.weights, atol=1e-6)
        assert head.temperature == pytest.approx(fitted.temperature)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_first_folder_that_has_the_head_wins(few: Utterances, embedder: MiniLMEmbedder, tmp_path: Path) -> None:
    packaged, cache = tmp_path / "packaged", tmp_path / "cache"
    marked = replace(fit_head(few, embedder, head_key(few, "model")), temperature=9.0)
    marked.save(head_path(packaged, marked.key))
    assert load_or_fit(few, embedder, "model", [packaged, cache]).temperature == 9.0
    assert not cache.exists()


def test_the_key_depends_on_utterances_and_embedder(few: Utterances) -> None:
    assert head_key(few, "a") != head_key(few, "b")
    assert head_key(few, "a") != head_key(replace(few, sha256="other"), "a")


def test_the_packaged_head_is_current(utterances: Utterances) -> None:
    path = head_path(PACKAGED_HEADS, head_key(utterances, EMBEDDING_MODEL[0].sha256))
    assert path.exists(), "run python -m eval.router_report after changing routes.yaml or the router's features"
    assert [kept.name for kept in PACKAGED_HEADS.glob("*.npz")] == [path.name]
    assert RouterHead.load(path).weights.shape[1] == len(INTENTS)


def test_loading_a_head_leaves_scikit_learn_alone() -> None:
    code = "import agent.router.router, sys; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
