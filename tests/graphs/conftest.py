from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agent.models.catalog import load_catalog
from agent.models.files import EMBEDDING_MODEL, embedding_folder
from agent.models.fraud import FraudModels
from agent.models.gateway import ModelGateway
from agent.models.reader import packaged_span_reader
from agent.prompts.active import ActivePrompts
from agent.prompts.registry import PromptRegistry
from agent.router.router import Router
from agent.services import Services
from graphs.switchyard import build_graph
from tests.fakes.endpoint import FakeEndpoint, fake_endpoint, scripted
from tests.graphs.conversation import DOCUMENTS, INDEXED, Conversation, Library
from tools.fraud.policy import FraudPolicy
from tools.knowledge.answerable import AnswerReader
from tools.knowledge.documents import Page, ParsedDocument
from tools.knowledge.edge_store import EdgeStore
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.evidence import EvidenceGate
from tools.knowledge.index import KnowledgeIndex
from tools.knowledge.rank import SentenceRanker
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder


@pytest.fixture(scope="session")
def fake() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
async def all_services(fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    """Everything real but the language model, over three small documents."""
    folder: Path = tmp_path_factory.mktemp("graph")
    embedder, bm25 = MiniLMEmbedder(embedding_folder(folder)), Bm25Encoder()
    index = KnowledgeIndex(
        Retriever(EdgeStore(folder / "v", embedder.dimensions), embedder, bm25), embedder.count_tokens
    )
    for document_id, title in INDEXED.items():
        document = ParsedDocument(title, [Page(DOCUMENTS[document_id])], "text/markdown")
        await index.add("local/default", document_id, document)
    models = ModelGateway(load_catalog(fake.models_file(folder / "models.yaml")))
    services = Services(
        models=models,
        fraud=FraudModels(models, folder / "registry", folder / "merged"),
        prompts=ActivePrompts(PromptRegistry(folder / "prompts.json")),
        router=Router.load(embedder, EMBEDDING_MODEL[0].sha256, folder),
        embedder=embedder,
        index=index,
        gate=EvidenceGate.load(),
        ranker=SentenceRanker(embedder, bm25),
        reader=AnswerReader.load(embedder.embed_words, packaged_span_reader()),
        bm25=bm25,
        policy=FraudPolicy(),
        documents=Library(),
    )
    yield services
    services.close()


@pytest.fixture
def services(all_services: Services, fake: FakeEndpoint, tmp_path: Path) -> Services:
    """The services with breakers that remember no other test's failures."""
    fake.script = scripted
    fake.requests.clear()
    gateway = ModelGateway(load_catalog(fake.models_file(tmp_path / "models.yaml")))
    return replace(
        all_services,
        models=gateway,
        fraud=FraudModels(gateway, tmp_path / "registry", tmp_path / "merged"),
    )


def converse(services: Services) -> Conversation:
    """A new thread on a graph over `services`."""
    return Conversation(build_graph(services, InMemorySaver()), services, uuid.uuid4().hex)


@pytest.fixture
def chat(services: Services) -> Conversation:
    return converse(services)
