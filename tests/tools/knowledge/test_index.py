from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from agent.models.files import embedding_folder
from tools.knowledge.chunking import ChunkSettings
from tools.knowledge.documents import Page, ParsedDocument
from tools.knowledge.edge_store import EdgeStore
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.index import KnowledgeIndex
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import VectorPoint, Where
from tools.ports import Span, SpanVectors


@pytest.fixture
def index(embedder: MiniLMEmbedder, tmp_path: Path) -> Iterator[KnowledgeIndex]:
    store = EdgeStore(tmp_path, embedder.dimensions)
    opened = KnowledgeIndex(Retriever(store, embedder, Bm25Encoder()), embedder.count_tokens)
    yield opened
    opened.close()


def document(text: str, title: str = "Cards", media_type: str = "text/markdown") -> ParsedDocument:
    return ParsedDocument(title, [Page(text)], media_type)


class CountingEmbedder(MiniLMEmbedder):
    """The real embedder, with the texts that it embedded as passages."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.texts: list[str] = []

    def embed_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[SpanVectors]:
        self.texts += texts
        return super().embed_spans(texts, spans)


@pytest.fixture
def counting(tmp_path: Path) -> CountingEmbedder:
    return CountingEmbedder(embedding_folder(tmp_path / "minilm"))


@pytest.fixture
def counted(counting: CountingEmbedder, tmp_path: Path) -> Iterator[KnowledgeIndex]:
    store = EdgeStore(tmp_path / "vectors", counting.dimensions)
    opened = KnowledgeIndex(Retriever(store, counting, Bm25Encoder()), counting.count_tokens)
    yield opened
    opened.close()


def policy(*sections: str) -> ParsedDocument:
    return document("\n\n".join(f"## {name}\n\nThe rule on {name} is long and clear." for name in sections))


SECTIONS = ChunkSettings(20, 0)


async def test_a_document_is_searchable_once_added(index: KnowledgeIndex) -> None:
    text = "# Cards\n\n## Loss\n\nBlock a lost card at once.\n\n## Fees\n\nA new card costs ten euros."
    added = await index.add("c", "cards", document(text), settings=ChunkSettings(size=12, overlap=0), metadata={"v": 1})
    assert added.chunks == added.embedded == await index.count("c") == 2
    (found,) = await index.search("c", "I lost my card", top_k=1)
    assert (found.chunk_id, found.document_id, found.title) == ("cards#0", "cards", "Cards")
    assert found.heading == ("Cards", "Loss")
    assert found.text in text
    assert found.metadata == {"v": 1}


async def test_a_new_version_takes_the_place_of_the_old(index: KnowledgeIndex) -> None:
    await index.add("c", "cards", document("The limit is 500.\n\n" * 30), settings=ChunkSettings(20, 0))
    assert await index.count("c") > 1
    await index.add("c", "cards", document("The limit is 900."))
    assert await index.count("c") == 1
    assert [passage.text for passage in await index.search("c", "limit", top_k=5)] == ["The limit is 900."]


async def test_a_deleted_document_is_gone_and_the_others_stay(index: KnowledgeIndex) -> None:
    await index.add("c", "one", document("The first card."))
    await index.add("c", "two", document("The second card."))
    await index.add("other", "one", document("The first card elsewhere."))
    await index.delete("c", "one")
    await index.delete("c", "never there")
    assert await index.count("c") == await index.count("other") == 1
    assert [passage.document_id for passage in await index.search("c", "card", top_k=5)] == ["two"]


async def test_searches_run_while_documents_are_added(index: KnowledgeIndex) -> None:
    await index.add("c", "stable", document("The stable sentence about refunds."))
    adding = [
        asyncio.create_task(
            index.add("c", "changing", document(f"Version {n} about limits.\n\n" * 12), settings=ChunkSettings(16, 0))
        )
        for n in range(4)
    ]
    sizes: set[int] = set()
    while not all(task.done() for task in adding):
        found = await index.search("c", "refunds", top_k=1, mode="sparse")
        assert found[0].document_id == "stable"
        sizes.add(await index.count("c", Where(document_ids=["changing"])))
    whole = {(await task).chunks for task in adding}
    assert sizes <= whole | {0}
    last = await index.search("c", "limits", top_k=20, where=Where(document_ids=["changing"]))
    assert len({passage.text.split()[1] for passage in last}) == 1


async def test_a_split_table_keeps_its_header_beside_the_text(index: KnowledgeIndex) -> None:
    rows = "".join(f"| Card number {n} | {n} days |\n" for n in range(40))
    await index.add("c", "table", document(f"| Card | Window |\n| --- | --- |\n{rows}"), settings=ChunkSettings(60, 0))
    passages = await index.search("c", "window of card number 39", top_k=20)
    assert len(passages) > 1
    later = next(passage for passage in passages if passage.chunk_id != "table#0")
    assert "Card | Window" in later.context
    assert "Window" not in later.text


async def test_pages_are_kept(index: KnowledgeIndex) -> None:
    paged = ParsedDocument(
        "P", [Page("The first page is about cards.", 1), Page("The second is on refunds.", 2)], "application/pdf"
    )
    await index.add("c", "paged", paged)
    (found,) = await index.search("c", "refunds", top_k=1)
    assert found.page == 2


async def test_every_write_changes_the_version_of_its_collection_alone(index: KnowledgeIndex) -> None:
    seen = [index.version("c")]
    for write in (
        lambda: index.add("c", "one", document("The first card.")),
        lambda: index.add("c", "one", document("The first card.")),
        lambda: index.add("c", "one", document("The second card.")),
        lambda: index.delete("c", "one"),
    ):
        other = index.version("other")
        await write()
        seen.append(index.version("c"))
        assert (await index.search_counted("c", "card", top_k=1, where=Where())).corpus_version == seen[-1]
        assert index.version("other") == other
    assert len(set(seen)) == len(seen)


async def test_a_search_has_the_version_of_what_it_found(index: KnowledgeIndex) -> None:
    adding = [asyncio.create_task(index.add("c", "one", document(f"The limit is {n}."))) for n in range(20)]
    found: dict[str, set[str]] = {}
    while not all(task.done() for task in adding):
        retrieval = await index.search_counted("c", "limit", top_k=1, where=Where())
        texts = " ".join(passage.text for passage in retrieval.passages)
        found.setdefault(retrieval.corpus_version, set()).add(texts)
    assert all(len(texts) == 1 for texts in found.values())


async def test_a_write_that_fails_changes_the_version_all_the_same(embedder: MiniLMEmbedder, tmp_path: Path) -> None:
    class Failing(EdgeStore):
        def upsert(self, collection: str, points: Sequence[VectorPoint]) -> None:
            raise OSError("the disk is full")

    index = KnowledgeIndex(
        Retriever(Failing(tmp_path, embedder.dimensions), embedder, Bm25Encoder()), embedder.count_tokens
    )
    before = index.version("c")
    with pytest.raises(OSError, match="full"):
        await index.add("c", "one", document("The first card."))
    assert index.version("c") != before
    index.close()


async def test_an_index_opens_again_with_what_it_held(embedder: MiniLMEmbedder, tmp_path: Path) -> None:
    for expected in (0, 1):
        store = EdgeStore(tmp_path, embedder.dimensions)
        index = KnowledgeIndex(Retriever(store, embedder, Bm25Encoder()), embedder.count_tokens)
        assert await index.count("c") == expected
        await index.add("c", "one", document("The first card."))
        index.close()


async def test_only_changed_chunks_are_embedded_again(counted: KnowledgeIndex, counting: CountingEmbedder) -> None:
    first = await counted.add("c", "policy", policy("fees", "limits", "travel", "refunds"), settings=SECTIONS)
    assert (first.chunks, first.embedded, len(counting.texts)) == (4, 4, 4)
    counting.texts.clear()
    second = await counted.add("c", "policy", policy("fees", "caps", "travel", "refunds"), settings=SECTIONS)
    assert (second.chunks, second.embedded, len(counting.texts)) == (4, 1, 1)
    assert "The rule on caps" in counting.texts[0]
    found = {passage.heading[-1] for passage in await counted.search("c", "the rule", top_k=20)}
    assert found == {"fees", "caps", "travel", "refunds"}


async def test_the_same_document_again_embeds_nothing(counted: KnowledgeIndex, counting: CountingEmbedder) -> None:
    await counted.add("c", "policy", policy("fees", "limits"), settings=SECTIONS)
    before = await counted.search("c", "the rule on limits", top_k=5)
    counting.texts.clear()
    again = await counted.add("c", "policy", policy("fees", "limits"), settings=SECTIONS)
    assert (again.chunks, again.embedded, counting.texts) == (2, 0, [])
    assert await counted.search("c", "the rule on limits", top_k=5) == before


async def test_a_chunk_that_moved_keeps_its_vectors(counted: KnowledgeIndex, counting: CountingEmbedder) -> None:
    await counted.add("c", "policy", policy("fees", "limits"), settings=SECTIONS)
    (before,) = await counted.search("c", "the rule on limits", top_k=1, mode="dense")
    counting.texts.clear()
    moved = await counted.add("c", "policy", policy("news", "fees", "limits"), settings=SECTIONS, metadata={"v": 2})
    assert (moved.embedded, len(counting.texts)) == (1, 1)
    (after,) = await counted.search("c", "the rule on limits", top_k=1, mode="dense")
    assert (before.chunk_id, after.chunk_id) == ("policy#1", "policy#2")
    assert after.metadata == {"v": 2}
    assert after.dense == pytest.approx(before.dense, abs=1e-5)
    assert after.sentence_vectors == before.sentence_vectors


async def test_chunks_that_are_gone_are_removed_and_repeated_ones_embedded_once(
    counted: KnowledgeIndex, counting: CountingEmbedder
) -> None:
    await counted.add("c", "policy", policy("fees", "fees", "limits", "travel"), settings=SECTIONS)
    assert len(counting.texts) == 3
    counting.texts.clear()
    await counted.add("c", "policy", policy("limits"), settings=SECTIONS)
    assert counting.texts == []
    assert await counted.count("c") == 1


async def test_another_title_is_embedded_again(counted: KnowledgeIndex) -> None:
    await counted.add("c", "policy", document("The first card.", "Cards"))
    assert (await counted.add("c", "policy", document("The first card.", "Fees"))).embedded == 1


async def test_documents_are_durable_when_they_are_added_and_share_flushes(
    embedder: MiniLMEmbedder, tmp_path: Path
) -> None:
    class Watched(EdgeStore):
        durable: ClassVar[set[str]] = set()
        written: ClassVar[set[str]] = set()
        flushes = 0

        def upsert(self, collection: str, points: Sequence[VectorPoint]) -> None:
            super().upsert(collection, points)
            self.written.update(str(point.payload["document_id"]) for point in points)

        def flush(self, collection: str) -> None:
            super().flush(collection)
            Watched.flushes += 1
            self.durable.update(self.written)

    async def add(n: int) -> None:
        await index.add("c", f"d{n}", document(f"Card {n} is new."))
        assert f"d{n}" in Watched.durable

    index = KnowledgeIndex(
        Retriever(Watched(tmp_path, embedder.dimensions), embedder, Bm25Encoder()), embedder.count_tokens
    )
    await asyncio.gather(*map(add, range(30)))
    assert 0 < Watched.flushes < 30
    index.close()
