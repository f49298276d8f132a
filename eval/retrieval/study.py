"""Index a corpus with each chunking strategy, ask its questions in each search mode, and measure what is found."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from agent.models.files import embedding_folder
from eval.retrieval.corpora import Corpus, Question
from eval.retrieval.measure import DEPTH, Ranking, gains, measure
from tools.knowledge.chunking import ChunkingStrategy, ChunkSettings, cut_document
from tools.knowledge.cross_encoder import CrossEncoder
from tools.knowledge.documents import Passage
from tools.knowledge.edge_store import EdgeStore
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.fusion import reciprocal_ranks
from tools.knowledge.points import by_content, chunk_points
from tools.knowledge.rank import SentenceRanker
from tools.knowledge.rerank import RERANK_DEPTH, PassageScorer, rerank
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import VectorPoint, Where

Mode = Literal["dense", "sparse", "rrf", "hybrid", "hybrid+rerank"]
LEGS: tuple[Mode, ...] = ("dense", "sparse")
MODES: tuple[Mode, ...] = (*LEGS, "rrf", "hybrid", "hybrid+rerank")
STRATEGIES: tuple[ChunkingStrategy, ...] = ("recursive", "fixed", "semantic")
COLLECTION = "evaluation/corpus"
_WRITTEN_AT_ONCE = 500

Progress = Callable[[str, int, int], None]


def _unheard(what: str, done: int, total: int) -> None:
    """Nobody follows."""


@dataclass(frozen=True)
class Setup:
    """The models that index, search and rerank. `known` are points by content: no chunk is embedded twice."""

    embedder: MiniLMEmbedder
    bm25: Bm25Encoder
    reranker: PassageScorer
    known: dict[str, VectorPoint] = field(default_factory=dict[str, VectorPoint])

    @classmethod
    def load(cls, cache: Path, reranker: Path | None = None) -> Setup:
        """Load the packaged models; links to them go below `cache`. `reranker` is the folder of a cross-encoder.

        Raises:
            RerankerError: the folder holds none.
        """
        embedder, bm25 = MiniLMEmbedder(embedding_folder(cache)), Bm25Encoder()
        return cls(embedder, bm25, CrossEncoder.load(reranker) if reranker else SentenceRanker(embedder, bm25))


def study(
    setup: Setup, corpus: Corpus, strategies: Sequence[ChunkingStrategy], progress: Progress = _unheard
) -> list[dict[str, Any]]:
    """A row for each strategy and mode: how many chunks there are, and the measures of all questions.

    Where documents are paragraphs, which fit into a chunk, only the first strategy is studied.
    `progress(what, done, total)` hears of every document and question. Blocks.
    """
    rows: list[dict[str, Any]] = []
    for strategy in strategies if corpus.is_cut else strategies[:1]:
        with tempfile.TemporaryDirectory() as folder:
            store = EdgeStore(Path(folder), setup.embedder.dimensions)
            try:
                rows += _study(setup, store, corpus, strategy, progress)
            finally:
                store.close()
    return rows


def _study(
    setup: Setup, store: EdgeStore, corpus: Corpus, strategy: ChunkingStrategy, progress: Progress
) -> Iterator[dict[str, Any]]:
    texts = index_corpus(setup, store, corpus, strategy, progress)
    asked = [
        (question, sum(question.answered_by(question.document_id, text) for text in texts[question.document_id]))
        for question in corpus.questions
    ]
    facts = {
        "corpus": corpus.name,
        "documents": len(corpus.documents),
        "chunking": strategy,
        "chunks": sum(map(len, texts.values())),
        # An answer that chunking has cut in two can be found by nobody, and counts as not found.
        "questions": len(asked),
        "cut_in_two": sum(existing == 0 for _, existing in asked),
        "within": any(question.within for question, _ in asked),
    }
    rankings = {mode: list(_ask(setup, store, asked, mode, progress)) for mode in MODES}
    for mode in MODES:
        over = {} if mode in LEGS else {leg: gains(rankings[mode], rankings[leg]) for leg in LEGS}
        yield {**facts, "mode": mode, **measure(rankings[mode]), "ndcg_over": over}


def index_corpus(
    setup: Setup,
    store: EdgeStore,
    corpus: Corpus,
    strategy: ChunkingStrategy = "recursive",
    progress: Progress = _unheard,
) -> dict[str, list[str]]:
    """Index the documents as the product does; returns the texts of their chunks."""
    settings = ChunkSettings(strategy=strategy)
    embed = setup.embedder.embed_passages
    texts: dict[str, list[str]] = {}
    waiting: list[VectorPoint] = []
    for done, (document_id, document) in enumerate(corpus.documents.items(), start=1):
        chunks = cut_document(document, settings, count_tokens=setup.embedder.count_tokens, embed=embed)
        added = chunk_points(
            document_id, document.title, chunks, embedder=setup.embedder, bm25=setup.bm25, known=setup.known
        )
        setup.known.update(by_content(added.points))
        waiting += added.points
        if len(waiting) >= _WRITTEN_AT_ONCE or done == len(corpus.documents):
            store.upsert(COLLECTION, waiting)
            waiting = []
        texts[document_id] = [chunk.text for chunk in chunks]
        progress(f"{corpus.name}: {strategy}", done, len(corpus.documents))
    return texts


def _ask(
    setup: Setup, store: EdgeStore, asked: Sequence[tuple[Question, int]], mode: Mode, progress: Progress
) -> Iterator[Ranking]:
    retriever = Retriever(store, setup.embedder, setup.bm25)
    if mode == "rrf":
        retriever = replace(retriever, fuse=reciprocal_ranks)
    for done, (question, existing) in enumerate(asked, start=1):
        found = _search(retriever, setup.reranker, question, mode)
        hits = [question.answered_by(passage.document_id, passage.text) for passage in found]
        yield Ranking(hits, existing)
        progress(f"{mode} search", done, len(asked))


def _search(retriever: Retriever, reranker: PassageScorer, question: Question, mode: Mode) -> Sequence[Passage]:
    where = Where(document_ids=question.within)
    if mode in ("dense", "sparse"):
        return retriever.search(COLLECTION, question.text, top_k=DEPTH, mode=mode, where=where)
    if mode != "hybrid+rerank":
        return retriever.search(COLLECTION, question.text, top_k=DEPTH, where=where)
    passages = retriever.search(COLLECTION, question.text, top_k=RERANK_DEPTH, where=where)
    return rerank(reranker, question.text, passages)[:DEPTH]
