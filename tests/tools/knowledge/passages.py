"""Passages and candidates for tests of what comes after retrieval."""

from __future__ import annotations

from tools.knowledge.documents import Passage
from tools.knowledge.rank import Candidate


def passage(
    text: str, chunk_id: str = "doc#0", *, title: str = "Policy", heading: tuple[str, ...] = (), context: str = ""
) -> Passage:
    """A passage of the document that its chunk id names."""
    return Passage(chunk_id, chunk_id.split("#")[0], title, text, None, heading, 1.0, context=context)


def candidate(text: str, *, n: int = 1, score: float = 1.0, chunk_id: str | None = None) -> Candidate:
    """A candidate sentence from a passage that holds nothing else."""
    return Candidate(text, text, passage(text, chunk_id or f"doc{n}#0"), n, score)
