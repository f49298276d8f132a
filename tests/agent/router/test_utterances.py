from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from agent.router.surface import view
from agent.router.utterances import INTENTS, NOTHING, SPLITS, Utterance, Utterances, load_utterances
from tools.knowledge.embed import MiniLMEmbedder

SAMPLES = Path(__file__).parents[3] / "samples" / "documents"
_MAX_COSINE = 0.85
_MAX_JACCARD = 0.5


def test_every_class_has_enough_utterances(utterances: Utterances) -> None:
    total = Counter(row.intent for row in utterances.rows)
    held_out = Counter(row.intent for row in utterances.of("test"))
    assert all(total[intent] >= 200 for intent in INTENTS), total
    assert all(held_out[intent] >= 50 for intent in INTENTS), held_out


def test_splits_cover_the_file(utterances: Utterances) -> None:
    assert sum(len(utterances.of(split)) for split in SPLITS) == len(utterances.rows)


def test_answered_questions_name_existing_documents(utterances: Utterances) -> None:
    named = [row for row in utterances.rows if row.answered_by not in (None, NOTHING)]
    assert len(named) >= 60
    assert sum(row.split == "test" for row in named) >= 30
    assert all(row.intent == "question" for row in utterances.rows if row.answered_by)
    present = {path.name for path in SAMPLES.iterdir()}
    assert {row.answered_by for row in named} <= present


def test_no_near_duplicate_wording_across_splits(utterances: Utterances) -> None:
    rows = [(row, _shingles(row.text)) for row in utterances.rows]
    by_shingle: dict[str, set[int]] = defaultdict(set)
    for index, (_, shingles) in enumerate(rows):
        for shingle in shingles:
            by_shingle[shingle].add(index)
    for index, (row, shingles) in enumerate(rows):
        shared = Counter(other for shingle in shingles for other in by_shingle[shingle] if other > index)
        for other, common in shared.items():
            twin, twin_shingles = rows[other]
            if common / len(shingles | twin_shingles) > _MAX_JACCARD:
                assert row.split == twin.split, (row.text, twin.text)


def test_no_near_duplicate_meaning_across_splits(utterances: Utterances, embedder: MiniLMEmbedder) -> None:
    rows = [row for row in utterances.rows if len(row.text) < 160]
    vectors = embedder.embed_passages([view(row.text) for row in rows])
    likeness = np.triu(vectors @ vectors.T, k=1)
    for first, second in np.argwhere(likeness > _MAX_COSINE).tolist():
        assert rows[first].split == rows[second].split, (rows[first].text, rows[second].text)


def test_rejects_a_repeated_text(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(_routes({("question", "test"): '["hi", "hi"]'}))
    with pytest.raises(ValueError, match="appears twice"):
        load_utterances(path)


def test_rejects_an_unknown_class(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text("utterances:\n  gossip: {train: [a], validation: [b], test: [c]}\n")
    with pytest.raises(ValidationError):
        load_utterances(path)


def test_rejects_a_class_without_a_split(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text("utterances:\n  question: {train: [a], validation: [b]}\n")
    with pytest.raises(ValueError, match="no utterances"):
        load_utterances(path)


def test_digest_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(_routes({}))
    before = load_utterances(path)
    path.write_text(_routes({("fraud", "train"): '["new"]'}))
    after = load_utterances(path)
    assert before.sha256 != after.sha256
    assert Utterance("new", "fraud", "train") in after.rows


def _shingles(text: str) -> set[str]:
    words = re.sub(r"\s+", " ", text.lower())
    return {words[i : i + 4] for i in range(max(1, len(words) - 3))}


def _routes(given: dict[tuple[str, str], str]) -> str:
    lines = ["utterances:"]
    for intent in INTENTS:
        lines.append(f"  {intent}:")
        lines += [f"    {split}: {given.get((intent, split), f'[{intent} {split}]')}" for split in SPLITS]
    return "\n".join(lines)
