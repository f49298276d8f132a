"""Where the topic changes, by the meaning of neighbouring sentences: the breaks of semantic chunks.

Kamradt's method (2023, "5 levels of text splitting"): sentences are embedded, and a chunk ends where the distance to
what follows is among the document's largest. The distance is taken between the means of two sentences on each side,
since a single sentence is noisy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np

from tools.knowledge.documents import ParsedDocument
from tools.knowledge.outline import page_blocks
from tools.knowledge.sentences import split_sentences
from tools.ports import Vector

EmbedTexts = Callable[[Sequence[str]], Vector]

# One gap in ten: sentences of this language have about twenty tokens, chunks up to two hundred.
_QUANTILE = 0.9
_SIDE = 2
# Rows that one call embeds; bounds the memory of a document without headings.
_BATCH = 256


def topic_breaks(document: ParsedDocument, embed: EmbedTexts) -> list[int]:
    """Ascending offsets in the document's text of the sentences that begin a new topic. Blocks.

    `embed` gives (n, d) unit vectors. Only prose is compared, and only inside a section: headings, tables, lists and
    pages are borders of their own.
    """
    gaps = [gap for section in _sections(document) for gap in _gaps(document.text, section, embed)]
    if not gaps:
        return []
    threshold = float(np.quantile([distance for _, distance in gaps], _QUANTILE))
    return [position for position, distance in gaps if distance > threshold]


def _sections(document: ParsedDocument) -> Iterator[list[tuple[int, int]]]:
    """The sentences, as spans, of each run of paragraphs."""
    for _, blocks in page_blocks(document):
        for prose, run in groupby(blocks, key=lambda block: block.kind == "paragraph"):
            if prose:
                yield [
                    (block.start + sentence.start, block.start + sentence.end)
                    for block in run
                    for sentence in split_sentences(document.text[block.start : block.end])
                ]


def _gaps(text: str, section: Sequence[tuple[int, int]], embed: EmbedTexts) -> Iterator[tuple[int, float]]:
    """The place of every sentence but the first, with the distance (0 to 2) between what stands before and after."""
    for first in range(0, len(section), _BATCH):
        # Batches overlap, so that the gap between two of them is measured as well.
        spans = section[max(0, first - _SIDE) : first + _BATCH + _SIDE]
        if len(spans) < 2:
            return
        vectors = embed([text[start:end] for start, end in spans])
        lead = first - max(0, first - _SIDE)
        for at in range(max(1, lead), min(lead + _BATCH, len(spans))):
            before, after = vectors[max(0, at - _SIDE) : at], vectors[at : at + _SIDE]
            yield spans[at][0], 1.0 - _cosine(before.mean(axis=0), after.mean(axis=0))


def _cosine(one: Vector, other: Vector) -> float:
    return float(one @ other) / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9)
