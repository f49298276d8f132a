"""What goes wrong while documents come in: nothing is lost, nothing is doubled, and the status says what happened."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from agent.models.files import embedding_folder
from server.db.engine import open_database
from server.documents import DocumentService
from server.ingestion.spool import StorageError
from server.ingestion.upload import NewDocument
from tests.server.errors import assert_error
from tests.server.site import ANSWER, QUESTION, Site
from tests.tools.knowledge.files import flowing_pdf, lines_pdf, paragraph, policy_pdf
from tools.knowledge.edge_store import EdgeStore
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.index import KnowledgeIndex
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder
from tools.ports import Span, SpanVectors

RULE = "Rule number {} says that a transfer needs two signatures."


def chunk_ids(site: Site, collection: str, query: str = "transfer signatures") -> list[str]:
    body = {"query": query, "collection": collection, "top_k": 100}
    answer = site.http.post("/search", json=body)
    assert answer.status_code == 200, answer.text
    return [result["chunk_id"] for result in answer.json()["results"]]


def listed(site: Site, collection: str) -> list[dict[str, Any]]:
    return [d for d in site.http.get("/documents").json()["documents"] if d["collection"] == collection]


def test_an_id_twice_in_a_batch_is_one_document_and_the_last_wins(site: Site) -> None:
    documents = [{"id": "rule", "title": "Rule", "text": RULE.format(n)} for n in range(3)]
    answer = site.http.post("/documents/batch", json={"documents": documents, "collection": "twice-in-batch"})
    assert answer.json() == {"indexed": 3, "failed": []}
    assert chunk_ids(site, "twice-in-batch") == ["rule#0"]
    view = site.http.get("/documents/rule", params={"include": "text"}).json()
    assert view["text"] == RULE.format(2)


def test_versions_of_one_id_at_once_end_as_one_of_them(site: Site) -> None:
    def send(n: int) -> int:
        return site.upload("rule.txt", RULE.format(n).encode(), id="race", collection="race").status_code

    with ThreadPoolExecutor(6) as sending:
        assert set(sending.map(send, range(6))) == {201}
    (document,) = listed(site, "race")
    assert (document["status"], document["chunks"]) == ("indexed", 1)
    body = {"query": "transfer", "collection": "race"}
    (found,) = site.http.post("/search", json=body).json()["results"]
    assert found["text"] == site.http.get("/documents/race", params={"include": "text"}).json()["text"]


def test_documents_are_deleted_while_questions_run(site: Site) -> None:
    names = [f"doc-{n}" for n in range(12)]
    for n, name in enumerate(names):
        site.add({"id": name, "title": name, "text": RULE.format(n), "collection": "vanishing"})
    done = Flag()

    def ask() -> int:
        asked = 0
        while not done.is_set():
            found = chunk_ids(site, "vanishing")
            assert len(found) == len(set(found))
            site.chat("How many signatures does a transfer need?", collection="vanishing")
            asked += 1
        return asked

    with ThreadPoolExecutor(2) as readers:
        asking = [readers.submit(ask) for _ in range(2)]
        try:
            statuses = [site.http.delete(f"/documents/{name}").status_code for name in names]
        finally:
            done.set()
        assert sum(future.result() for future in asking) > 0
    assert statuses == [204] * len(names)
    assert chunk_ids(site, "vanishing") == []


def test_a_document_deleted_while_it_is_read_stays_deleted(site: Site) -> None:
    pages = [[RULE.format(page)] for page in range(60)]
    site.upload("long.pdf", lines_pdf(pages), wait=False, id="withdrawn", collection="withdrawn")
    assert site.http.delete("/documents/withdrawn").status_code == 204
    site.add({"id": "later", "title": "Later", "text": RULE.format(1), "collection": "withdrawn"})
    assert_error(site.http.get("/documents/withdrawn"), 404, "not_found")
    assert chunk_ids(site, "withdrawn") == ["later#0"]


def test_a_pdf_of_too_many_pages_says_how_many_it_may_have(site: Site) -> None:
    content = lines_pdf([["x"]] * 2001)
    error = assert_error(site.upload("huge.pdf", content, id="huge", collection="huge"), 422, "too_many_pages")
    assert "2001 pages; at most 2000" in error["message"]
    assert site.http.get("/documents/huge").json()["error"]["code"] == "too_many_pages"


def test_files_in_different_encodings_read_the_same(site: Site) -> None:
    text = "Die Gebühr beträgt fünf Euro für jede Überweisung – ohne Ausnahme."
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        added = site.upload(f"{encoding}.txt", text.encode(encoding), id=encoding, collection="encodings")
        assert added.status_code == 201, added.text
        assert site.http.get(f"/documents/{encoding}", params={"include": "text"}).json()["text"] == text


def test_a_folder_of_fifty_thousand_files_is_compared_at_once(site: Site) -> None:
    files = [{"path": f"notes/{n}.txt", "revision": "1-1"} for n in range(50_000)]
    answer = site.http.post("/documents/sync", json={"source": "file:///notes", "files": files})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["upload"]) == 50_000


def test_a_stranger_s_pdf_is_questioned_with_cited_pages(site: Site) -> None:
    filler = [paragraph("The office of this invented bank stands at the harbour and opens at nine.")]
    added = site.upload("handbook.pdf", policy_pdf(), collection="stranger")
    site.upload("other.pdf", flowing_pdf(*filler), collection="stranger")
    pages = [["The bank was founded at the harbour."], [ANSWER], ["The office opens at nine."]]
    third = site.upload("windows.pdf", lines_pdf(pages), id="windows", collection="stranger")
    assert (added.status_code, third.status_code) == (201, 201)
    result = site.chat(QUESTION, collection="stranger")
    assert result["route"] == "knowledge"
    cited = [(citation["document_id"], citation["page"]) for citation in result["citations"]]
    assert ("windows", 2) in cited


class GatedEmbedder(MiniLMEmbedder):
    """The real embedder, which embeds no passage until its gate opens, and none while it is out of order."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.gate = Flag()
        self.out_of_order = False

    def embed_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[SpanVectors]:
        assert self.gate.wait(60)
        if self.out_of_order:
            raise RuntimeError("nobody foresaw this")
        return super().embed_spans(texts, spans)


@pytest.fixture
def embedder(tmp_path: Path) -> GatedEmbedder:
    return GatedEmbedder(embedding_folder(tmp_path / "minilm"))


@pytest.fixture
def index(embedder: GatedEmbedder, tmp_path: Path) -> Iterator[KnowledgeIndex]:
    store = EdgeStore(tmp_path / "vectors", embedder.dimensions)
    opened = KnowledgeIndex(Retriever(store, embedder, Bm25Encoder()), embedder.count_tokens)
    yield opened
    opened.close()


@pytest.fixture
def service(index: KnowledgeIndex, tmp_path: Path) -> Iterator[DocumentService]:
    """Documents over a real index, without a server."""
    database = open_database(tmp_path / "app.db")
    opened = DocumentService(database, tmp_path / "uploads")
    opened.attach(index)
    yield opened
    database.close()


async def uploads(tmp_path: Path) -> list[Path]:
    return await asyncio.to_thread(lambda: list((tmp_path / "uploads").iterdir()))


def wait_until_gone(alive: list[weakref.ref[NewDocument]]) -> None:
    """A worker thread lets go of the last one only when it looks for its next task."""
    while any(ref() is not None for ref in alive):
        gc.collect()
        time.sleep(0.01)


async def test_documents_that_wait_are_on_disk_and_not_in_memory(
    service: DocumentService, embedder: GatedEmbedder, tmp_path: Path
) -> None:
    alive: list[weakref.ref[NewDocument]] = []
    for n in range(20):
        document = NewDocument("ann", RULE.format(n).encode(), f"{n}.txt", str(n))
        alive.append(weakref.ref(document))
        await service.add(document, wait=False)
        del document
    await asyncio.to_thread(wait_until_gone, alive)
    assert len(await uploads(tmp_path)) == 20
    embedder.gate.set()
    await service.close(60)
    assert [row.status for row in await service.list("ann")] == ["indexed"] * 20
    assert await uploads(tmp_path) == []


async def test_a_delete_that_was_cut_off_can_be_done_again(
    service: DocumentService, embedder: GatedEmbedder, index: KnowledgeIndex
) -> None:
    embedder.gate.set()
    row = await service.add(NewDocument("ann", b"The vault opens at eight.", "a.txt", "a"), wait=True)
    await index.delete(row.key.index_collection, "a")
    assert await service.fail_unfinished() == 0
    await service.delete("ann", "a")
    assert await service.list("ann") == []
    assert await index.count(row.key.index_collection) == 0


async def test_a_fault_of_ours_leaves_a_dead_letter_that_a_retry_indexes_once(
    service: DocumentService, embedder: GatedEmbedder, index: KnowledgeIndex
) -> None:
    embedder.gate.set()
    embedder.out_of_order = True
    with pytest.raises(RuntimeError, match="nobody foresaw this"):
        await service.add(NewDocument("ann", b"The vault opens at eight.", "a.txt", "a"), wait=True)
    (letter,) = await service.list("ann", "failed")
    assert (letter.error_code, letter.attempts) == ("internal_error", 1)
    assert "nobody foresaw" not in (letter.error_message or "")
    assert await index.count(letter.key.index_collection) == 0
    embedder.out_of_order = False
    assert (await service.retry("ann", "a")).status == "indexed"
    assert await index.count(letter.key.index_collection) == 1


async def test_a_disk_that_takes_nothing_keeps_the_earlier_version(
    service: DocumentService, embedder: GatedEmbedder, index: KnowledgeIndex, tmp_path: Path
) -> None:
    embedder.gate.set()
    row = await service.add(NewDocument("ann", b"The vault opens at eight.", "a.txt", "a"), wait=True)
    await asyncio.to_thread(_put_a_file_in_place_of, tmp_path / "uploads")
    for document_id in ("a", "b"):
        with pytest.raises(StorageError):
            await service.add(NewDocument("ann", b"The vault opens at nine.", "a.txt", document_id), wait=True)
    assert [(one.document_id, one.status) for one in await service.list("ann")] == [("a", "indexed")]
    (found,) = await index.search(row.key.index_collection, "vault", top_k=5)
    assert "eight" in found.text


def _put_a_file_in_place_of(folder: Path) -> None:
    folder.rmdir()
    folder.write_bytes(b"")
