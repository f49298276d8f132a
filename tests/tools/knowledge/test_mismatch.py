from __future__ import annotations

from dataclasses import replace

import pytest

from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.mismatch import Reading, mismatch_features

SENTENCE = "The bridge at Torvik was opened in 1931 by Queen Ingrid and closed to lorries two years later."


def features(embedder: MiniLMEmbedder, question: str, *sentences: str) -> dict[str, float]:
    read = [embedder.embed_words(sentence) for sentence in sentences or (SENTENCE,)]
    elsewhere = [frozenset(sentence.stems) for sentence in read]
    return mismatch_features(Reading(embedder.embed_words(question), read, elsewhere, [0.6, 0.4], 0.8))


@pytest.mark.parametrize(
    ("fits", "misses", "feature"),
    [
        ("Who opened the bridge at Torvik?", "Who opened the bridge at Halvik?", "coverage.best_names"),
        ("Who opened the bridge in 1931?", "Who opened the bridge in 1944?", "coverage.best_years"),
        ("Who opened the bridge at Torvik?", "Who opened the tunnel at Torvik?", "coverage.best_missing"),
    ],
)
def test_what_does_not_fit_is_counted(embedder: MiniLMEmbedder, fits: str, misses: str, feature: str) -> None:
    assert features(embedder, fits)[feature] == 0
    assert features(embedder, misses)[feature] == 1


def test_a_paraphrase_is_closer_than_another_matter(embedder: MiniLMEmbedder) -> None:
    near = features(embedder, "When was the crossing barred to trucks?")
    far = features(embedder, "When was the vaccine sold to hospitals?")
    assert near["words.mean"] > far["words.mean"]
    assert near["likeness.best"] > far["likeness.best"]


def test_a_word_that_stands_elsewhere_is_missing_from_the_best_sentence_alone(embedder: MiniLMEmbedder) -> None:
    other = "The ferry sails on Sundays."
    found = features(embedder, "When does the ferry cross at Torvik?", SENTENCE, other)
    assert found["coverage.anywhere_missing"] < found["coverage.best_missing"]


def test_a_single_passage_has_no_margin(embedder: MiniLMEmbedder) -> None:
    words = embedder.embed_words(SENTENCE)
    reading = Reading(words, [words], [frozenset(words.stems)], [0.6], 0.8)
    assert mismatch_features(reading)["likeness.passage_margin"] == 0
    assert mismatch_features(replace(reading, cosines=[0.6, 0.2]))["likeness.passage_margin"] == pytest.approx(0.4)
