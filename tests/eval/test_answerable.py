from __future__ import annotations

import json

import numpy as np
import pytest

from eval.abstention_page import PAGE, RESULT, page
from eval.answerable_data import ARTICLES, OWN, RETRIEVED, Example, with_near_misses
from eval.cached_words import CachedWords
from eval.fit_answerable import decisions, fit, held_out_logits, report, threshold_at
from tools.knowledge.embed import MiniLMEmbedder


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    """Six articles, three of them seen, on which one feature tells answerable questions and the other tells nothing."""
    rng = np.random.default_rng(3)
    found: list[Example] = []
    for article in range(6):
        for question in range(40):
            label = question % 2 == 0
            telling, noise = rng.normal(1.5 if label else 0.0), rng.normal()
            features = {"likeness.passage": noise, "likeness.rank_score": noise, "negation.not": telling}
            features |= {f"{group}.x": noise for group in ("span", "coverage", "words", "conflict")}
            for setting in (OWN, RETRIEVED):
                found.append(
                    Example(
                        ARTICLES, setting, f"a{article}", f"{article}/{question}", label, features, f"p{question // 4}"
                    )
                )
    found.append(Example("samples", RETRIEVED, "train", "q", True, found[0].features))
    return found


def test_weights_follow_the_feature_that_tells(examples: list[Example]) -> None:
    head = fit(examples, ["likeness.passage", "negation.not"])
    assert head.weights[1] > 5 * abs(head.weights[0])


def test_an_article_is_held_out_whole(examples: list[Example]) -> None:
    _, folds = held_out_logits(examples, ["negation.not"])
    for group in {one.group for one in examples}:
        assert len({fold for fold, one in zip(folds, examples, strict=True) if one.group == group}) == 1


def test_the_threshold_gives_up_the_share_it_says(examples: list[Example]) -> None:
    logits = np.array([one.features["negation.not"] for one in examples])
    articles = [i for i, one in enumerate(examples) if one.kind == ARTICLES]
    threshold = threshold_at([examples[i] for i in articles], logits[articles], 0.2)
    answerable = [logits[i] for i in articles if examples[i].answerable]
    assert np.mean(np.array(answerable) < threshold) == pytest.approx(0.2, abs=0.02)


def test_giving_up_more_answers_less(examples: list[Example]) -> None:
    logits, folds = held_out_logits(examples, ["negation.not"])
    shares = [decisions(examples, logits, folds, rate).mean() for rate in (0.05, 0.2, 0.5)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]


def test_the_report_credits_the_group_that_tells(examples: list[Example]) -> None:
    policies = [Example("policies", s, "p", "q", True, examples[0].features) for s in (OWN, RETRIEVED)]
    groups = report([*examples, *policies])["groups"]
    assert groups["negation alone"][OWN]["auroc"]["value"] > 0.75
    assert groups["without negation"][OWN]["auroc"]["value"] < 0.65


def test_articles_without_near_misses_are_told(examples: list[Example]) -> None:
    plain = Example(ARTICLES, OWN, "plain", "q", True, {})
    assert "plain" not in with_near_misses([*examples, plain])


def test_words_are_remembered_across_runs(tmp_path_factory: pytest.TempPathFactory) -> None:
    from agent.models.files import embedding_folder

    folder = tmp_path_factory.mktemp("words")
    embedder = MiniLMEmbedder(embedding_folder(folder))
    first = CachedWords(embedder, folder / "words.npz")
    before = [first.embed_words(text) for text in ("Who built it?", "Ada Holm built it in 1874.")]
    first.save()
    again = CachedWords(embedder, folder / "words.npz").embed_words("Ada Holm built it in 1874.")
    assert list(again.words) == list(before[1].words)
    assert again.vectors == pytest.approx(before[1].vectors, abs=1e-3)


def test_the_page_is_what_the_result_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(json.loads(RESULT.read_text(encoding="utf-8")))
