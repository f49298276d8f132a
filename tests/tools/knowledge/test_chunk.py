from __future__ import annotations

import itertools
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.knowledge import files
from tools.knowledge.chunk import chunk_document, embedding_text
from tools.knowledge.documents import Chunk, Page, ParsedDocument
from tools.knowledge.load import parse_file


def words(text: str) -> int:
    return len(text.split())


def markdown(*pages: str) -> ParsedDocument:
    return ParsedDocument("T", [Page(page) for page in pages], "text/markdown")


def chunks_of(source: str, size: int = 40, overlap: int = 0) -> list[Chunk]:
    return chunk_document(markdown(source), size=size, overlap=overlap, count_tokens=words)


def assert_sound(document: ParsedDocument, chunks: list[Chunk], size: int) -> None:
    text = document.text
    covered = bytearray(len(text))
    for ordinal, chunk in enumerate(chunks):
        assert chunk.ordinal == ordinal
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text.strip()
        assert "\f" not in chunk.text
        assert words(chunk.text) <= size
        covered[chunk.start : chunk.end] = b"\x01" * (chunk.end - chunk.start)
    assert all(covered[index] or character.isspace() for index, character in enumerate(text))
    assert all(a.start < b.start and a.end < b.end for a, b in pairwise(chunks))


MARKED = "# A|## B c|text here. And more.||- item|1. one|```|Title\n===|  indented|1. Scope|Time Limits|\t\t|é".split(
    "|"
)
LINES = [*MARKED, "| a | b |", "|---|---|", "word " * 30, "x" * 300]
STRUCTURED = st.lists(st.sampled_from([f"{line}\n" for line in LINES]) | st.text(max_size=30), max_size=25).map("".join)


@given(
    pages=st.lists(STRUCTURED.map(lambda page: page.replace("\f", " ")), min_size=1, max_size=3),
    size=st.integers(1, 60),
    overlap=st.integers(0, 20),
    media_type=st.sampled_from(["text/markdown", "text/plain", "application/pdf"]),
)
def test_chunks_hold_all_text_at_exact_offsets(pages: list[str], size: int, overlap: int, media_type: str) -> None:
    document = ParsedDocument("T", [Page(page, number) for number, page in enumerate(pages, 1)], media_type)
    chunks = chunk_document(document, size=size, overlap=min(overlap, size - 1), count_tokens=words)
    assert_sound(document, chunks, size)


@given(
    page=STRUCTURED.map(lambda page: page.replace("\f", " ")),
    size=st.integers(1, 60),
    breaks=st.sets(st.integers(0, 400)).map(sorted),
)
def test_breaks_anywhere_lose_no_text(page: str, size: int, breaks: list[int]) -> None:
    document = markdown(page)
    assert_sound(document, chunk_document(document, size=size, overlap=0, count_tokens=words, breaks=breaks), size)


def test_a_chunk_ends_at_a_break_unless_it_is_small() -> None:
    source = f"# Rules\n\nA short one. {'The fee is due. ' * 4}Cards are blocked at once. They are replaced."
    document = markdown(source)
    breaks = [source.index("The fee"), source.index("Cards")]
    chunks = chunk_document(document, size=40, overlap=5, count_tokens=words, breaks=breaks)
    assert [chunk.text.split(". ")[0] for chunk in chunks] == ["# Rules\n\nA short one", "Cards are blocked at once"]
    table = "| Code | Days |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |"
    inside = chunk_document(markdown(table), size=40, overlap=0, count_tokens=words, breaks=[table.index("| 3")])
    assert [chunk.text for chunk in inside] == [table]


def test_headings_make_paths_and_stay_with_their_text() -> None:
    chunks = chunks_of("# Manual\n\n## Limits\n\nSome text.\n\n### Daily\n\nMore.\n\n## Fees\n\nLast\n====\n\nEnd.")
    assert [(chunk.heading, chunk.text) for chunk in chunks] == [
        (("Manual", "Limits"), "# Manual\n\n## Limits\n\nSome text."),
        (("Manual", "Limits", "Daily"), "### Daily\n\nMore."),
        (("Last",), "## Fees\n\nLast\n====\n\nEnd."),
    ]


def test_paragraphs_lists_and_tables_stay_whole_where_they_fit() -> None:
    listed = "\n".join(f"- item {number}" for number in range(8))
    table = "| Code | Days |\n| --- | --- |\n| 1 | 2 |"
    source = f"{'one ' * 25}\n\n{listed}\n\n{table}\n\n{'two ' * 30}"
    chunks = chunks_of(source)
    assert any(listed in chunk.text for chunk in chunks)
    assert any(table in chunk.text for chunk in chunks)


def test_long_tables_are_cut_between_rows_and_keep_their_header_as_context() -> None:
    header = "| Code | Meaning |\n| --- | --- |"
    rows = [f"| {number} | reason number {number} |" for number in range(30)]
    chunks = chunks_of("\n".join([header, *rows]))
    assert len(chunks) > 3
    assert chunks[0].text.startswith(header)
    assert chunks[0].context == ""
    for chunk in chunks[1:]:
        assert chunk.context == "| Code | Meaning |"
        assert all(line in rows for line in chunk.text.split("\n"))
        assert "| Code | Meaning |\n| " in embedding_text(chunk, "T")
        assert "Code" not in chunk.text


def test_long_lists_are_cut_between_items() -> None:
    items = [f"- item {number} has\n  two lines" for number in range(20)]
    for chunk in chunks_of("\n".join(items)):
        assert chunk.text.startswith("- item")
        assert chunk.text.endswith("two lines")


def test_long_paragraphs_are_cut_between_sentences_with_overlap() -> None:
    sentences = [f"Sentence number {number} says something." for number in range(30)]
    chunks = chunks_of(" ".join(sentences), size=40, overlap=6)
    assert len(chunks) > 4
    for before, after in pairwise(chunks):
        assert after.start < before.end
        assert words(before.text[after.start - before.start :]) <= 6
        assert after.text.startswith("Sentence number")
    assert all(chunk.text.endswith(".") for chunk in chunks)


def test_code_is_not_structure() -> None:
    chunks = chunks_of("# Use\n\n```\n# not a heading\n\n| not | a | table |\n```\n\nText.")
    assert [chunk.heading for chunk in chunks] == [("Use",)]


def test_pages_are_never_crossed_but_headings_go_on() -> None:
    document = ParsedDocument(
        "Manual",
        [Page("1. Scope\nThe analyst reads the whole file before the case is closed.", 1), Page("It goes on here.", 2)],
        "application/pdf",
    )
    chunks = chunk_document(document, size=100, overlap=0, count_tokens=words)
    assert [(chunk.page, chunk.heading) for chunk in chunks] == [(1, ("1. Scope",)), (2, ("1. Scope",))]
    assert document.text[chunks[1].start :] == "It goes on here."


def test_pdf_headings_are_found() -> None:
    document = parse_file(files.policy_pdf(), "policy.pdf")
    chunks = chunk_document(document, size=60, overlap=10, count_tokens=words)
    assert_sound(document, chunks, 60)
    paths = {chunk.heading for chunk in chunks}
    assert paths == {
        ("Dispute handling", "1. Scope"),
        ("Dispute handling", "2. Time limits"),
        ("Dispute handling", "3. Evidence"),
    }


def test_a_numbered_heading_may_open_a_list_or_end_a_page() -> None:
    steps = "5. Filing procedure\n1. Check the case.\n2. Choose the code.\n\n6. Representment"
    document = ParsedDocument("T", [Page(steps, 1), Page("The bank answers within 30 days.", 2)], "application/pdf")
    chunks = chunk_document(document, size=50, overlap=0, count_tokens=words)
    assert [chunk.heading for chunk in chunks] == [
        ("5. Filing procedure",),
        ("6. Representment",),
        ("6. Representment",),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "Payment due: 20 March 2026\n\nInvoice to: Northwind Cards, 14 Harbour Row, Dublin 2",
        "12 Harbour Road\nLeeds\nLS1 4AB\n\nDear Sir or Madam,\n\nI dispute the payment below.",
        "Needed papers:\n1. Letter\n2. Receipt\n3. Form\n\nThe analyst keeps all of them in the file for seven years.",
        "The rule applies to every card\nTravel Cards included and it does not depend on the country\nof issue.",
        "Yours faithfully\n\nJane Roe",
    ],
)
def test_addresses_lists_and_wrapped_lines_are_not_headings(source: str) -> None:
    document = ParsedDocument("T", [Page(source)], "text/plain")
    assert {chunk.heading for chunk in chunk_document(document, size=100, overlap=0, count_tokens=words)} == {()}


def test_embedding_text_says_title_and_path_once() -> None:
    chunk = Chunk(0, "## Fees\n\nText.", 0, 14, None, ("Manual", "Cards", "Fees"))
    assert embedding_text(chunk, "Manual") == "Manual > Cards\n## Fees\n\nText."
    assert embedding_text(Chunk(0, "Text.", 0, 5, None), "Manual") == "Manual\nText."
    assert embedding_text(Chunk(0, "Text.", 0, 5, None), "") == "Text."


def test_bad_sizes_are_refused() -> None:
    for size, overlap in [(0, 0), (10, 10), (10, -1)]:
        with pytest.raises(ValueError, match="overlap"):
            chunk_document(markdown("x"), size=size, overlap=overlap, count_tokens=words)


@pytest.mark.parametrize(
    "unit", ["word ", "x", "line\n", "# a\n", "- a\n", "| a | b |\n", "A sentence. ", "1. Scope\n"]
)
def test_large_documents_take_linear_work(unit: str) -> None:
    def calls(characters: int) -> int:
        counted = itertools.count()
        document = markdown(unit * (characters // len(unit)))
        sys.setprofile(lambda frame, event, argument: next(counted) and None)
        try:
            chunk_document(document, size=200, overlap=20, count_tokens=words)
        finally:
            sys.setprofile(None)
        return next(counted)

    # Eight times the text: eight times the work, not sixty-four times.
    assert calls(80_000) < 16 * calls(10_000)
