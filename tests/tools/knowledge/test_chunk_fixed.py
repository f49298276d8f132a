"""Fixed windows: exact sizes, exact overlap, all text, one page at a time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.knowledge.test_chunk import STRUCTURED, assert_sound, markdown, words
from tools.knowledge.chunk_fixed import chunk_fixed
from tools.knowledge.documents import Page, ParsedDocument
from tools.knowledge.embed import MiniLMEmbedder


@given(
    pages=st.lists(STRUCTURED.map(lambda page: page.replace("\f", " ")), min_size=1, max_size=3),
    size=st.integers(1, 60),
    overlap=st.integers(0, 20),
)
def test_windows_hold_all_text_at_exact_offsets(pages: list[str], size: int, overlap: int) -> None:
    document = ParsedDocument("T", [Page(page, number) for number, page in enumerate(pages, 1)], "text/markdown")
    assert_sound(document, chunk_fixed(document, size=size, overlap=min(overlap, size - 1), count_tokens=words), size)


def test_windows_are_full_and_repeat_their_overlap() -> None:
    document = markdown(" ".join(f"w{number}" for number in range(100)))
    chunks = chunk_fixed(document, size=20, overlap=5, count_tokens=words)
    assert [words(chunk.text) for chunk in chunks[:-1]] == [20] * (len(chunks) - 1)
    for before, after in pairwise(chunks):
        assert before.text.split()[-5:] == after.text.split()[:5]


def test_structure_is_cut_but_the_heading_above_is_known() -> None:
    document = markdown(f"# Fees\n\n{'one ' * 15}\n\n## Travel\n\n{'two ' * 15}", "It goes on.")
    chunks = chunk_fixed(document, size=10, overlap=0, count_tokens=words)
    assert [chunk.heading for chunk in chunks] == [
        ("Fees",),
        ("Fees",),
        ("Fees", "Travel"),
        ("Fees", "Travel"),
        (
            "Fees",
            "Travel",
        ),
    ]
    assert "## Travel" in chunks[1].text


def test_sizes_are_the_embedding_model_s_tokens(embedder: MiniLMEmbedder) -> None:
    document = markdown("Chargeback representment thresholds are reconsidered quarterly. " * 60)
    chunks = chunk_fixed(document, size=50, overlap=10, count_tokens=embedder.count_tokens)
    sizes = [embedder.count_tokens(chunk.text) for chunk in chunks]
    assert max(sizes) <= 50
    assert min(sizes[:-1]) > 44


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (10, 10), (10, -1)])
def test_bad_sizes_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        chunk_fixed(markdown("x"), size=size, overlap=overlap, count_tokens=words)
