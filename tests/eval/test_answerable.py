from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from eval.abstention_page import PAGE, RESULT, page
from eval.answerable_data import ARTICLES, OWN, RETRIEVED, Example, with_near_misses
from eval.cached_words import CachedWords
from eval.fit_answerable import decisions, fit, fit_with_span, held_out_logits, report, threshold_at
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
            features |= {f"{group}.x": noise for group in ("coverage", "words")} | {"span.margin": noise}
            for setting in (OWN, RETRIEVED):
                about = f"a{article}", f"{article}/{question}", label, features, f"p{question // 4}"
                found.append(Example(ARTICLES, setting, *about, seen=article < 3))
    found.append(Example("samples", RETRIEVED, "train", "q", True, found[0].features))
    return found


def halves(examples: list[Example]) -> tuple[list[Example], list[Example]]:
    return [one for one in examples if one.seen], [one for one in examples if not one.seen]


def test_weights_follow_the_feature_that_tells(examples: list[Example]) -> None:
    head = fit([one for one in examples if one.kind == ARTICLES], ["likeness.passage", "negation.not"])
    assert head.weights[1] > 5 * abs(head.weights[0])


def test_an_article_is_held_out_whole(examples: list[Example]) -> None:
    seen, unseen = halves(examples)
    _, folds = held_out_logits(seen, unseen, ["negation.not"])
    for group in {one.group for one in unseen}:
        assert len({fold for fold, one in zip(folds, unseen, strict=True) if one.group == group}) == 1


def test_the_margin_is_weighed_against_what_was_fitted_elsewhere(examples: list[Example]) -> None:
    seen, unseen = halves(examples)
    names = ["negation.not", "span.margin"]
    telling = [replace(one, features={**one.features, "span.margin": float(one.answerable)}) for one in unseen]
    by_margin, without = fit_with_span(seen, telling, names), fit_with_span(seen, unseen, names)
    assert set(by_margin.names) == set(names)
    place = list(by_margin.names).index("span.margin")
    assert by_margin.weights[place] > 10 * abs(without.weights[place])
    labels = np.array([one.answerable for one in telling])
    assert ((by_margin.logits(telling) > 0) == labels).mean() > 0.95


def test_the_threshold_gives_up_the_share_it_says(examples: list[Example]) -> None:
    logits = np.array([one.features["negation.not"] for one in examples])
    articles = [i for i, one in enumerate(examples) if one.kind == ARTICLES]
    threshold = threshold_at([examples[i] for i in articles], logits[articles], 0.2)
    answerable = [logits[i] for i in articles if examples[i].answerable]
    assert np.mean(np.array(answerable) < threshold) == pytest.approx(0.2, abs=0.02)


def test_giving_up_more_answers_less(examples: list[Example]) -> None:
    seen, unseen = halves(examples)
    logits, folds = held_out_logits(seen, unseen, ["negation.not"])
    shares = [decisions(unseen, logits, folds, rate).mean() for rate in (0.05, 0.2, 0.5)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]


def test_the_report_credits_the_group_that_tells(examples: list[Example]) -> None:
    policies = [Example("policies", s, "p", "q", True, examples[0].features) for s in (OWN, RETRIEVED)]
    seen, unseen = halves(examples)
    groups = report(seen, [*unseen, *policies])["groups"]
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
