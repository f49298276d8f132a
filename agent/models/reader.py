"""The packaged span reader with the embedding model's own tokenizer and word vectors."""

from __future__ import annotations

from agent.models.files import EMBEDDING_WEIGHTS, TOKENIZER
from tools.knowledge.span_reader import PACKAGED_READER, SpanReader, reader_tokenizer


def packaged_span_reader() -> SpanReader:
    """The span reader, which loads when it is first needed.

    Raises:
        ModelFileError: a packaged model file is missing or, of the tokenizer, corrupt.
    """
    return SpanReader(PACKAGED_READER, EMBEDDING_WEIGHTS.locate(), reader_tokenizer(TOKENIZER.verify()))
