"""Semantic breaks, with the real embedding model: the topic changes where a reader says it does."""

from __future__ import annotations

import pytest

from tests.tools.knowledge.test_chunk import assert_sound, markdown
from tools.knowledge.chunk_semantic import topic_breaks
from tools.knowledge.chunking import ChunkingStrategy, ChunkSettings, cut_document
from tools.knowledge.documents import Chunk, ParsedDocument
from tools.knowledge.embed import MiniLMEmbedder

DISPUTES = (
    "A cardholder may dispute a charge within 120 days. The dispute form names the charge and the merchant. "
    "The bank sends the dispute to the merchant's bank. The merchant answers the dispute with its evidence. "
    "A dispute without evidence is decided for the cardholder. "
)
GARDEN = (
    "Tomatoes need full sun and rich soil. Water the tomato plants every morning in summer. "
    "Prune the tomato plants when leaves turn yellow. Ripe tomatoes are picked by hand. "
    "Compost feeds the soil of the vegetable garden. "
)


def cut(document: ParsedDocument, embedder: MiniLMEmbedder, strategy: ChunkingStrategy) -> list[Chunk]:
    settings = ChunkSettings(200, 0, strategy)
    return cut_document(document, settings, count_tokens=embedder.count_tokens, embed=embedder.embed_passages)


def test_a_chunk_ends_where_the_topic_changes(embedder: MiniLMEmbedder) -> None:
    document = markdown(DISPUTES + GARDEN)
    first, second = cut(document, embedder, "semantic")
    assert first.text == DISPUTES.strip()
    assert second.text == GARDEN.strip()
    (whole,) = cut(document, embedder, "recursive")
    assert whole.text.strip() == document.text.strip()


def test_topics_are_compared_inside_sections_only(embedder: MiniLMEmbedder) -> None:
    document = markdown(f"## Disputes\n\n{DISPUTES}\n\n## Garden\n\n{GARDEN}")
    breaks = topic_breaks(document, embedder.embed_passages)
    assert document.text.index("Tomatoes") not in breaks
    assert topic_breaks(markdown("# Only\n\nOne sentence."), embedder.embed_passages) == []
    assert topic_breaks(markdown("- a list\n- of items"), embedder.embed_passages) == []


def test_a_long_section_is_embedded_in_batches_with_one_result(embedder: MiniLMEmbedder) -> None:
    # 300 sentences: more than a batch, and the change of topic is where one ends.
    sentences = [f"Dispute number {n} is sent to the merchant." for n in range(256)]
    sentences += [f"Tomato plant number {n} needs water." for n in range(44)]
    document = markdown(" ".join(sentences))
    assert document.text.index("Tomato plant number 0 ") in topic_breaks(document, embedder.embed_passages)


@pytest.mark.parametrize("strategy", ["fixed", "recursive", "semantic"])
def test_every_strategy_holds_all_text_within_the_size(embedder: MiniLMEmbedder, strategy: ChunkingStrategy) -> None:
    document = markdown(f"# A\n\n{DISPUTES * 5}\n\n- one\n- two\n\n{GARDEN * 5}", GARDEN)
    chunks = cut(document, embedder, strategy)
    assert_sound(document, chunks, 200)
    assert max(embedder.count_tokens(chunk.text) for chunk in chunks) <= 200
