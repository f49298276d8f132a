"""Everything the nodes use, put together once at start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Protocol, TypeVar

from agent.answer_cache import AnswerCache
from agent.models.catalog import load_catalog
from agent.models.files import EMBEDDING_MODEL, embedding_folder
from agent.models.fraud import FraudModels
from agent.models.gateway import ModelGateway
from agent.models.reader import packaged_span_reader
from agent.prompts.active import ActivePrompts
from agent.prompts.registry import PromptRegistry
from agent.router.router import Router
from agent.settings import Settings
from tools.fraud.adapters import merged_folder, registry_folder
from tools.fraud.policy import FraudPolicy, load_policy
from tools.knowledge.answerable import AnswerReader
from tools.knowledge.corpus_versions import CorpusVersions
from tools.knowledge.cross_encoder import CrossEncoder
from tools.knowledge.edge_store import EdgeStore
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.evidence import EvidenceGate
from tools.knowledge.index import KnowledgeIndex
from tools.knowledge.rank import SentenceRanker
from tools.knowledge.rerank import PassageScorer
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import VectorStore

_T = TypeVar("_T")

_COMPUTE_THREADS = 2


class DocumentTexts(Protocol):
    """Where the texts of uploaded documents are kept."""

    async def text(self, owner: str, document_id: str) -> str | None:
        """The document's text, or `None` when this owner has no such document."""
        ...


@dataclass(frozen=True)
class Services:
    """What the graph's nodes work with."""

    models: ModelGateway
    fraud: FraudModels
    prompts: ActivePrompts
    router: Router
    embedder: MiniLMEmbedder
    index: KnowledgeIndex
    gate: EvidenceGate
    ranker: SentenceRanker
    reader: AnswerReader
    bm25: Bm25Encoder
    policy: FraudPolicy
    documents: DocumentTexts
    cross_encoder: CrossEncoder | None = None
    """What orders the passages of a question again; they stay as retrieved where it is None."""
    parent_tokens: int = 0
    """Tokens of neighbouring passages that a question reads beside those that were found."""
    answers: AnswerCache | None = None
    reviews: bool = False
    """Whether borderline fraud scores wait for a person."""
    compute_threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_COMPUTE_THREADS, thread_name_prefix="compute")
    )

    @property
    def reranker(self) -> PassageScorer:
        """What reranks a search: the cross-encoder, or the sentence ranker where none is configured."""
        return self.cross_encoder or self.ranker

    async def compute(self, work: Callable[[], _T]) -> _T:
        """Run something that computes off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.compute_threads, work)

    def load(self) -> None:
        """Load what the first question needs; it would do so itself, later. Blocks for about a second."""
        self.bm25.load()
        self.embedder.load()
        self.reader.spans.load()
        self.models.load()

    def close(self) -> None:
        """Release models, stores and threads."""
        self.compute_threads.shutdown(cancel_futures=True)
        if self.cross_encoder is not None:
            self.cross_encoder.close()
        self.index.close()
        self.fraud.close()
        self.models.close()


def open_services(settings: Settings, documents: DocumentTexts) -> Services:
    """Load models and stores as `settings` say. Blocks for a few seconds.

    Raises:
        ModelFileError: a packaged model file is missing or corrupt.
        CatalogError: the models file does not fit.
        PromptError: the choice of prompts is not readable, or names what does not exist.
        RerankerError: the folder of the reranker holds none.
    """
    cross_encoder = CrossEncoder.load(settings.reranker) if settings.reranker else None
    prompts = ActivePrompts(PromptRegistry(settings.prompt_file))
    models = ModelGateway(load_catalog(settings.models))
    embedder = MiniLMEmbedder(embedding_folder(settings.cache_folder))
    bm25 = Bm25Encoder()
    retriever = Retriever(_open_store(settings, embedder.dimensions), embedder, bm25)
    return Services(
        models=models,
        fraud=FraudModels(models, registry_folder(settings.data_dir), merged_folder(settings.data_dir)),
        prompts=prompts,
        router=Router.load(embedder, EMBEDDING_MODEL[0].sha256, settings.cache_folder),
        embedder=embedder,
        index=KnowledgeIndex(retriever, embedder.count_tokens, CorpusVersions(settings.corpus_version_file)),
        gate=EvidenceGate.load(),
        ranker=SentenceRanker(embedder, bm25),
        reader=AnswerReader.load(embedder.embed_words, packaged_span_reader()),
        bm25=bm25,
        policy=_load_policy(settings),
        documents=documents,
        cross_encoder=cross_encoder,
        parent_tokens=settings.parent_tokens,
        answers=AnswerCache() if settings.answer_cache == "on" else None,
        reviews=settings.review == "on",
    )


def _open_store(settings: Settings, dimensions: int) -> VectorStore:
    if settings.qdrant_url:
        # Imported here: its models take a second to load, which the embedded set-up need not wait for.
        from tools.knowledge.qdrant_store import connect

        return connect(settings.qdrant_url, dimensions)
    return EdgeStore(settings.vector_folder, dimensions)


def _load_policy(settings: Settings) -> FraudPolicy:
    """The company's rules: the samples' until a `policy/` folder lies in the data directory."""
    own = settings.data_dir / "policy"
    folder = own if own.is_dir() else samples_folder() if settings.samples == "on" else None
    if folder is None:
        return FraudPolicy()
    return load_policy(_existing(folder / "blacklist.csv"), _existing(folder / "transaction_codes.csv"))


def samples_folder() -> Path:
    """The sample issuer's files."""
    return Path(str(resources.files("agent"))).parent / "samples"


def sample_documents() -> Sequence[Path]:
    """The sample issuer's policies and procedures."""
    folder = samples_folder() / "documents"
    return sorted(file for file in folder.glob("*") if file.suffix in {".md", ".pdf"})


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None
