"""The backend that is this process: the application opened on the data directory, its routes called as functions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from rich.console import Console

from agent.services import sample_documents
from agent.settings import Settings
from agent.state import DEFAULT_OWNER
from server.access.callers import LOCAL_CALLER, Caller, Credentials
from server.api.chat import ChatRequest
from server.api.document_bodies import FileUpload, RetryRequest
from server.api.documents import accepted, list_documents, retry_documents
from server.api.extract import ExtractRequest, extract_fields
from server.api.fraud import ScoreRequest, score_transactions
from server.api.ingestions import IngestionRequest, finish_ingestion, start_ingestion
from server.api.search import SearchRequest, search
from server.api.syncing import SyncRequest, plan_sync
from server.application import Application, open_application
from server.cli.backend import Event, Json
from server.cli.terminal import progress_bar, working
from server.errors import describe_invalid
from server.masking import mask_log_output
from tools.errors import InputError

_Body = TypeVar("_Body", bound=BaseModel)
_THIS_MACHINE = "127.0.0.1"


@dataclass(frozen=True)
class EmbeddedBackend:
    """The API without HTTP; satisfies `Backend`."""

    application: Application
    caller: Caller = LOCAL_CALLER

    async def chat(self, body: Json) -> AsyncGenerator[Event]:
        """See `Backend.chat`."""
        request = _read(ChatRequest, body)
        for document_id in request.document_ids:
            await self.application.documents.get(self.caller.owner, document_id)
        asked = replace(request.run_request(self.caller.owner), key_id=self.caller.key_id)
        run = await self.application.runs.start(asked)
        async for arrived in self.application.runs.follow(self.caller.owner, run.run_id):
            for event in arrived:
                yield Event(event.name, orjson.loads(event.data))

    async def add_file(self, name: str, content: bytes, fields: Json) -> Json:
        """See `Backend.add_file`."""
        document = _read(FileUpload, fields).document(self.caller.owner, name, content)
        return _json(accepted(await self.application.documents.add(document, wait=True)))

    async def delete(self, document_id: str, collection: str) -> None:
        """See `Backend.delete`."""
        await self.application.documents.delete(self.caller.owner, document_id, collection)

    async def plan_sync(self, body: Json) -> Json:
        """See `Backend.plan_sync`."""
        return _json(await plan_sync(_read(SyncRequest, body), self.application, self.caller.owner))

    async def start_ingestion(self, body: Json) -> Json:
        """See `Backend.start_ingestion`."""
        return _json(await start_ingestion(_read(IngestionRequest, body), self.application, self.caller.owner))

    async def finish_ingestion(self, ingestion_id: str) -> Json:
        """See `Backend.finish_ingestion`."""
        return _json(await finish_ingestion(ingestion_id, self.application, self.caller.owner))

    async def failed(self) -> list[Json]:
        """See `Backend.failed`."""
        return _json(await list_documents(self.application, self.caller.owner, "failed"))["documents"]

    async def retry(self, body: Json) -> Json:
        """See `Backend.retry`."""
        return _json(await retry_documents(_read(RetryRequest, body), self.application, self.caller.owner))

    async def search(self, body: Json) -> Json:
        """See `Backend.search`."""
        return _json(await search(_read(SearchRequest, body), self.application, self.caller.owner))

    async def extract(self, body: Json) -> Json:
        """See `Backend.extract`."""
        return _json(await extract_fields(_read(ExtractRequest, body), self.application, self.caller))

    async def score(self, body: Json) -> Json:
        """See `Backend.score`."""
        return _json(await score_transactions(_read(ScoreRequest, body), self.application, self.caller))


@asynccontextmanager
async def open_embedded(settings: Settings, console: Console, *, samples: bool) -> AsyncGenerator[EmbeddedBackend]:
    """Open the stores and models; with `samples`, index the samples first unless other documents are there.

    Raises:
        SwitchyardError: the data directory, a model file or the models file cannot be used.
        AuthenticationError: with SWITCHYARD_AUTH=keys, SWITCHYARD_API_KEY holds no key that is known.
    """
    if settings.mask_pii == "on":
        mask_log_output()
    async with AsyncExitStack() as stack:
        with working(console, "Loading the models"):
            application = await stack.enter_async_context(open_application(settings))
        key = settings.api_key
        tokens = frozenset({key.get_secret_value()}) if key else frozenset[str]()
        caller = await application.access.authenticator.authenticate(Credentials(tokens, _THIS_MACHINE))
        if samples and caller.owner == DEFAULT_OWNER:
            await _index_samples(application, console)
        yield EmbeddedBackend(application, caller)


async def _index_samples(application: Application, console: Console) -> None:
    """Index what is missing of the samples, unless the user has brought documents of their own."""
    own = {row.document_id for row in await application.documents.list(DEFAULT_OWNER)}
    if own - {file.name for file in sample_documents()}:
        return
    with progress_bar(console, "Indexing samples") as progress:
        task = progress.add_task("", total=None)
        await application.index_samples(
            lambda name, done, total: progress.update(task, description=name, completed=done, total=total)
        )


def _read(model: type[_Body], body: Json) -> _Body:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        code, message, problems = describe_invalid([{**e, "loc": ("body", *e["loc"])} for e in error.errors()])
        raise InputError(message, code=code, problems=problems) from None


def _json(answer: BaseModel) -> Json:
    return answer.model_dump(mode="json", by_alias=True)
