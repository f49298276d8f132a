"""The graph over the sample documents, of which single ones can be exchanged for attacked versions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from langchain.messages import HumanMessage

from agent.models.catalog import ModelConfig, load_catalog
from agent.models.gateway import ModelGateway
from agent.models.role_model import RoleModel
from agent.services import Services, open_services, sample_documents
from agent.settings import Settings
from agent.state import TurnContext
from graphs.switchyard import Switchyard, build_graph
from tools.knowledge.documents import ParsedDocument
from tools.knowledge.load import parse_file
from tools.ports import ChatRequest, Completion

_COLLECTION = TurnContext().index_collection


class NoTexts:
    """No document's text can be asked for; satisfies `agent.services.DocumentTexts`."""

    async def text(self, owner: str, document_id: str) -> str | None:
        """See `DocumentTexts.text`."""
        return None


class RememberingModel(RoleModel):
    """Answers a request that it has seen before as it did then: the same prompt need not be computed again."""

    answers: dict[str, list[str | Completion]]

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | Completion]:
        """See `RoleModel.stream`."""
        key = repr(request)
        if key not in self.answers:
            self.answers[key] = [item async for item in super().stream(request)]
        for item in self.answers[key]:
            yield item


class RememberingGateway(ModelGateway):
    """A gateway whose models remember."""

    def bind(self, role: ModelConfig, base_url: str | None = None) -> RoleModel:
        """See `ModelGateway.bind`."""
        bound = super().bind(role, base_url)
        bound.__class__ = RememberingModel
        assert isinstance(bound, RememberingModel)
        bound.answers = {}
        return bound


@dataclass
class AttackedSamples:
    """Asks single questions; `exchange` and `restore` change what they are answered from."""

    services: Services
    graph: Switchyard
    documents: Mapping[str, ParsedDocument]
    changed: set[str] = field(default_factory=set[str])

    async def ask(self, question: str) -> Mapping[str, Any]:
        """The `result` of a new conversation's only turn."""
        stream = self.graph.astream({"messages": [HumanMessage(question)]}, context=TurnContext(), stream_mode="custom")
        events = [event async for event in stream]
        return next(event["data"] for event in events if event["event"] == "result")

    async def exchange(self, document_id: str, document: ParsedDocument) -> None:
        """Index `document` under this id, in place of the sample of that name if there is one."""
        self.changed.add(document_id)
        await self.services.index.add(_COLLECTION, document_id, document)

    async def restore(self) -> None:
        """Bring the index back to the samples as they are."""
        for document_id in self.changed:
            if document_id in self.documents:
                await self.services.index.add(_COLLECTION, document_id, self.documents[document_id])
            else:
                await self.services.index.delete(_COLLECTION, document_id)
        self.changed.clear()


@asynccontextmanager
async def attacked_samples(data_dir: Path) -> AsyncGenerator[AttackedSamples]:
    """Open the graph and index the samples below `data_dir`."""
    settings = Settings(data_dir=data_dir, answer_cache="off", review="off")
    services = open_services(settings, NoTexts())
    services.models.close()
    services = replace(services, models=RememberingGateway(load_catalog(settings.models)))
    try:
        documents = {file.name: parse_file(file.read_bytes(), file.name) for file in sample_documents()}
        for document_id, document in documents.items():
            await services.index.add(_COLLECTION, document_id, document)
        yield AttackedSamples(services, build_graph(services), documents)
    finally:
        services.close()
