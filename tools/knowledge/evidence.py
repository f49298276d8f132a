"""The evidence gate: does what retrieval found answer the question, whatever its topic?

A calibrated logistic regression over cheap features of the retrieved passages. `python -m eval.fit_evidence` fits the
weights and writes `evidence.json` with their provenance.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import py_rust_stemmers

from tools.knowledge.documents import Passage
from tools.knowledge.fingerprint import fingerprint
from tools.knowledge.stopwords import ENGLISH_STOPWORDS

# How many passages the weights were fitted on; retrieve at least as many before asking the gate.
GATE_DEPTH = 8
DEFAULT_WEIGHTS = Path(__file__).with_name("evidence.json")
_WORDS = re.compile(r"\w+")
_MAX_QUERY_CHARS = 2000
_REMEMBERED_PASSAGES = 4096
_STEM: Callable[[str], str] = py_rust_stemmers.SnowballStemmer("english").stem_word  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue, reportUnknownVariableType]
# The largest corpora that the weights were fitted on.
_MAX_CORPUS = 2000


@dataclass(frozen=True)
class Evidence:
    """What the gate concluded. `probability` is the calibrated chance that the passages answer the question."""

    probability: float
    threshold: float
    answerable: bool
    features: Mapping[str, float]


@dataclass(frozen=True)
class EvidenceGate:
    """A logistic regression: `probability = sigmoid(bias + sum(weight * feature))`."""

    weights: Mapping[str, float]
    bias: float
    threshold: float

    @classmethod
    def load(cls, path: Path = DEFAULT_WEIGHTS) -> EvidenceGate:
        """Read the fitted weights."""
        fitted = json.loads(path.read_text(encoding="utf-8"))
        return cls(weights=fitted["weights"], bias=fitted["bias"], threshold=fitted["threshold"])

    @cached_property
    def version(self) -> str:
        """Names the weights and the threshold."""
        return fingerprint(dict(self.weights), self.bias, self.threshold)

    def assess(self, query: str, passages: Sequence[Passage], *, corpus_size: int) -> Evidence:
        """Judge the best `GATE_DEPTH` of `passages`, as `Retriever.search` ordered them. No passage, no answer.

        `corpus_size` is the number of chunks that were searched: among many, a chance likeness is more common.
        """
        if not passages or not content_terms(query):
            return Evidence(0.0, self.threshold, answerable=False, features={})
        features = evidence_features(query, passages, corpus_size)
        logit = self.bias + sum(weight * features[name] for name, weight in self.weights.items())
        probability = 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
        return Evidence(probability, self.threshold, answerable=probability >= self.threshold, features=features)


def content_terms(text: str) -> list[str]:
    """The distinct stems of a text's words, function words left out, in order of appearance."""
    words = (word for word in _WORDS.findall(text[:_MAX_QUERY_CHARS].lower()) if word not in ENGLISH_STOPWORDS)
    return list(dict.fromkeys(_STEM(word) for word in words))


def evidence_features(query: str, passages: Sequence[Passage], corpus_size: int) -> dict[str, float]:
    """Features of at least one passage for a query with at least one content term, each roughly between 0 and 1."""
    best = passages[:GATE_DEPTH]
    terms = content_terms(query)
    stems = [_stems(" ".join((passage.title, *passage.heading, passage.text))) for passage in best]
    everything = frozenset[str]().union(*stems)
    missing = [term for term in terms if term not in everything]
    cosines = sorted((passage.dense for passage in best if passage.dense is not None), reverse=True) or [0.0]
    top_dense = max(range(len(best)), key=lambda i: best[i].dense or -1.0)
    return {
        "top_cosine": cosines[0],
        "mean5_cosine": sum(cosines[:5]) / len(cosines[:5]),
        "agreement": max(passage.agreement for passage in best),
        "coverage_one": max(sum(term in found for term in terms) for found in stems) / len(terms),
        "coverage_top_dense": sum(term in stems[top_dense] for term in terms) / len(terms),
        "missing": min(len(missing), 4) / 4,
        "missing_number": float(any(term[0].isdigit() for term in missing)),
        "length": math.log(len(terms)) / 3,
        "corpus_size": math.log(min(max(corpus_size, 1), _MAX_CORPUS)) / math.log(_MAX_CORPUS),
    }


@lru_cache(maxsize=_REMEMBERED_PASSAGES)
def _stems(text: str) -> frozenset[str]:
    return frozenset(_STEM(word) for word in _WORDS.findall(text.lower()))
