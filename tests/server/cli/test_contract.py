"""One contract for both backends: the server over HTTP and the stores in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console

from agent.settings import Settings
from server.cli.answers import TurnAnswer
from server.cli.backend import Backend, Json, open_backend
from tests.server.cli.conftest import POLICY, RECEIPT
from tools.errors import InputError, NotFoundError

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]

_QUESTION = "How many days does a cardholder have to dispute a charge?"
_TRANSACTION = {"amount": 2400, "currency": "EUR", "merchant": "ElectroWorld", "customer_usual_amount": 45}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["server", "embedded"])
async def backend(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, policy: Path
) -> AsyncIterator[Backend]:
    served = request.param == "server"
    folder = request.getfixturevalue("served_directory") if served else tmp_path_factory.mktemp("embedded")
    async with AsyncExitStack() as stack:
        opened = open_backend(Settings(data_dir=folder, samples="off"), Console(quiet=True), samples=True)
        backend = await stack.enter_async_context(opened)
        assert type(backend).__name__ == ("HttpBackend" if served else "EmbeddedBackend")
        await _add(backend, policy, "default")
        yield backend


async def _add(backend: Backend, file: Path, collection: str) -> Json:
    content = await asyncio.to_thread(file.read_bytes)
    return await backend.add_file(file.name, content, {"collection": collection})


async def _ask(backend: Backend, **body: object) -> tuple[list[str], Json]:
    events = [event async for event in backend.chat(body)]
    return [event.name for event in events], next(event.data for event in events if event.name in ("result", "error"))


async def test_a_question_streams_up_to_a_cited_result(backend: Backend, policy: Path) -> None:
    names, result = await _ask(backend, message=_QUESTION)
    assert names[:2] == ["run", "route"]
    assert names[-2:] == ["result", "end"]
    assert "token" in names
    answer = TurnAnswer.model_validate(result)
    assert answer.route == "knowledge"
    assert "120 days" in answer.answer
    assert answer.citations[0].quote in POLICY


async def test_a_thread_goes_on(backend: Backend) -> None:
    _, first = await _ask(backend, message=_QUESTION)
    _, second = await _ask(backend, message="And when is a provisional credit paid?", thread_id=first["thread_id"])
    assert second["thread_id"] == first["thread_id"]
    assert second["run_id"] != first["run_id"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"message": "  "}, "empty_message"),
        ({}, "empty_message"),
        ({"message": "x" * 200_001}, "message_too_long"),
        ({"message": "hi", "thread_id": "a b"}, "invalid_thread_id"),
        ({"message": "hi", "nonsense": 1}, "invalid_request"),
    ],
)
async def test_a_turn_that_cannot_be_is_refused_with_a_code(backend: Backend, body: Json, code: str) -> None:
    with pytest.raises(InputError) as caught:
        await _ask(backend, **body)
    assert caught.value.code == code


async def test_an_unknown_document_is_not_found(backend: Backend) -> None:
    with pytest.raises(NotFoundError):
        await _ask(backend, message="Extract the fields", document_ids=["nobody's"])


async def test_the_same_file_is_the_same_document(backend: Backend, policy: Path) -> None:
    first = await _add(backend, policy, "default")
    assert await _add(backend, policy, "default") == first
    assert first["status"] == "indexed"
    assert first["chunks"] >= 1


async def test_a_file_that_cannot_be_read_has_a_code(backend: Backend, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing more")
    with pytest.raises(InputError) as caught:
        await _add(backend, broken, "default")
    assert caught.value.code == "corrupt_document"


async def test_a_dead_letter_can_be_tried_again(backend: Backend, tmp_path: Path) -> None:
    broken = tmp_path / "torn.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing more")
    with pytest.raises(InputError):
        await _add(backend, broken, "torn")
    (letter,) = [document for document in await backend.failed() if document["collection"] == "torn"]
    assert (letter["title"], letter["error"]["code"]) == ("torn.pdf", "corrupt_document")
    answer = await backend.retry({"ids": [letter["document_id"]], "collection": "torn"})
    assert (answer["indexed"], answer["failed"][0]["error"]) == (0, "corrupt_document")
    with pytest.raises(InputError):
        await backend.retry({"ids": []})


async def test_how_a_file_is_cut_can_be_chosen(backend: Backend) -> None:
    content = b"## Fees\n\nA card costs ten euros.\n\n## Limits\n\nThe limit is 500 euros."
    fields: Json = {"collection": "cut", "chunk_size": "16", "chunk_overlap": "0"}
    whole = await backend.add_file("cut.md", content, fields)
    fixed = await backend.add_file("cut.md", content, fields | {"chunking": "fixed", "chunk_size": "240"})
    assert (whole["document_id"], whole["chunks"], fixed["chunks"]) == (fixed["document_id"], 2, 1)
    with pytest.raises(InputError) as caught:
        await backend.add_file("cut.md", content, {"chunking": "magic"})
    assert caught.value.code == "invalid_request"


async def test_search_finds_the_passage(backend: Backend) -> None:
    (best, *_) = (await backend.search({"query": "dispute a charge", "top_k": 2}))["results"]
    assert best["title"] == "Dispute handling"
    assert "120 days" in best["text"]


async def test_collections_are_apart(backend: Backend) -> None:
    assert (await backend.search({"query": "dispute", "collection": "empty"}))["results"] == []


async def test_search_refuses_what_it_cannot_do(backend: Backend) -> None:
    with pytest.raises(InputError) as caught:
        await backend.search({"query": "x", "top_k": 0})
    assert caught.value.code == "invalid_request"


async def test_extraction_reads_values_with_their_places(backend: Backend) -> None:
    text = RECEIPT.read_text("utf-8")
    found = await backend.extract({"text": text, "schema": "receipt"})
    total = found["fields"]["total"]
    assert found["data"]["total"] == 58.0
    assert text[total["evidence"]["start"] : total["evidence"]["end"]] == total["evidence"]["quote"]


async def test_an_unknown_schema_is_refused(backend: Backend) -> None:
    with pytest.raises(InputError) as caught:
        await backend.extract({"text": "x", "schema": "poem"})
    assert caught.value.code == "unknown_schema"


async def test_a_transaction_gets_a_score(backend: Backend) -> None:
    (score,) = (await backend.score({"transaction": _TRANSACTION}))["results"]
    assert score["label"] in ("FRAUD", "LEGITIMATE")
    assert score["risk_score"] == round(100 * score["probability"])
    assert "amount_far_above_usual" in [flag["code"] for flag in score["red_flags"]]


async def test_missing_facts_are_asked_for(backend: Backend) -> None:
    with pytest.raises(InputError) as caught:
        await backend.score({"transaction": {"merchant": "ElectroWorld"}})
    assert caught.value.code == "missing_fields"
