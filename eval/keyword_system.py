"""The baseline: routes by keywords, answers with the best BM25 sentence. What an afternoon without models gives."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.results import Citation, Route, TurnResult
from eval.diagnosis import Passages
from tools.knowledge.load import parse_file
from tools.knowledge.sentences import split_sentences
from tools.knowledge.sparse import Bm25Encoder, SparseVector

# What the baseline cannot do is not held against it.
BASELINE_METRICS = frozenset(
    {
        "route_accuracy",
        "fact_match",
        "fact_match_short",
        "citations_valid",
        "source_accuracy",
        "abstention",
        "false_abstention",
    }
)

_EXTRACT = re.compile(r"\b(extract|parse|fields?|json|structured)\b", re.I)
_SCORE = re.compile(r"\b(fraud|fraudulent|suspicious|risky|score|assess)\b", re.I)
_TRANSACTION = re.compile(r'"amount"\s*:|^amount:', re.I | re.M)
_MIN_WORDS = 4
_MIN_SHARED_TERMS = 2


@dataclass(frozen=True)
class _Sentence:
    document_id: str
    text: str
    terms: SparseVector


class KeywordSystem:
    """A `System` over files."""

    def __init__(self, files: Sequence[Path]) -> None:
        """Read and index `files`. Blocks for some seconds."""
        self._bm25 = Bm25Encoder()
        self._texts = {path.name: parse_file(path.read_bytes(), path.name).text for path in files}
        found = [(name, sentence.text) for name, text in self._texts.items() for sentence in split_sentences(text)]
        found = [(name, text) for name, text in found if len(text.split()) >= _MIN_WORDS]
        vectors = self._bm25.encode_passages([text for _, text in found])
        self._sentences = [_Sentence(name, text, terms) for (name, text), terms in zip(found, vectors, strict=True)]
        seen = Counter(term for sentence in self._sentences for term in sentence.terms.indices)
        total = len(self._sentences)
        self._idf = {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in seen.items()}

    async def ask(self, turns: Sequence[str], document: Path | None) -> Mapping[str, Any]:
        """Answer the last turn; earlier ones are not remembered."""
        started = time.perf_counter()
        result = self._answer(turns[-1], attached=document is not None)
        elapsed = round((time.perf_counter() - started) * 1000, 2)
        return result.model_dump(by_alias=True) | {"timings": {"ttft_ms": elapsed, "total_ms": elapsed}}

    async def document_text(self, document_id: str) -> str | None:
        """See `System.document_text`."""
        return self._texts.get(document_id)

    async def passages(self, query: str) -> Passages:
        """See `System.passages`: the best sentence."""
        best, _ = self._best(query)
        return [(best.document_id, best.text)]

    def _answer(self, message: str, *, attached: bool) -> TurnResult:
        if attached or _EXTRACT.search(message):
            return _result("extraction", "")
        if _SCORE.search(message) or _TRANSACTION.search(message):
            return _result("fraud", "")
        best, shared = self._best(message)
        if shared < _MIN_SHARED_TERMS:
            return _result("unknown", "I don't know.")
        citation = Citation(
            n=1, document_id=best.document_id, chunk_id="", title=best.document_id, page=None, quote=best.text
        )
        return _result("knowledge", f"{best.text} [1]", [citation])

    def _best(self, query: str) -> tuple[_Sentence, int]:
        wanted = set(self._bm25.encode_query(query).indices)
        best = max(self._sentences, key=lambda sentence: self._score(wanted, sentence.terms))
        return best, len(wanted & set(best.terms.indices))

    def _score(self, wanted: set[int], terms: SparseVector) -> float:
        return sum(
            weight * self._idf[term] for term, weight in zip(terms.indices, terms.values, strict=True) if term in wanted
        )


def _result(route: Route, answer: str, citations: Sequence[Citation] = ()) -> TurnResult:
    return TurnResult(
        route=route,
        routed_to=route,
        confidence=1.0,
        answer=answer,
        abstained=route == "unknown",
        citations=list(citations),
    )
