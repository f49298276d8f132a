from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.knowledge.gbnf import language
from tests.tools.knowledge.passages import candidate, passage
from tools.knowledge.documents import Passage
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.quotes import chosen_candidates, quote_grammar
from tools.knowledge.rank import Candidate, SentenceRanker
from tools.knowledge.readings import Reading, readings
from tools.knowledge.sparse import Bm25Encoder

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).map(
    lambda text: " ".join(text.split()) or "x"
)


@pytest.fixture(scope="module")
def ranker(embedder: MiniLMEmbedder) -> SentenceRanker:
    return SentenceRanker(embedder, Bm25Encoder())


def read(ranker: SentenceRanker, *passages: Passage) -> list[tuple[str, str]]:
    ranked = ranker.rank("card dispute", passages, limit=50)
    return [(found.text, found.quote) for found in ranked]


@pytest.mark.parametrize("rule", ["| --- | --- |\n", ""])
def test_table_rows_are_read_with_their_header(ranker: SentenceRanker, rule: str) -> None:
    table = f"| Card type | Window |\n{rule}| Classic credit card | 120 days |\n| Go prepaid card | |"
    assert set(read(ranker, passage(table))) == {
        ("Card type: Classic credit card; Window: 120 days", "| Classic credit card | 120 days |"),
        ("Card type: Go prepaid card", "| Go prepaid card | |"),
    }


def test_the_rest_of_a_split_table_is_read_with_the_header_it_lost(ranker: SentenceRanker) -> None:
    rest = passage("| Go prepaid card | 60 days |", context="| Card type | Window |\n| --- | --- |")
    assert read(ranker, rest) == [("Card type: Go prepaid card; Window: 60 days", rest.text)]


def test_a_row_that_does_not_fit_its_header_is_read_without(ranker: SentenceRanker) -> None:
    ragged = "| Card | Window |\n| --- | --- |\n| Classic card | 120 days | from posting |"
    assert read(ranker, passage(ragged)) == [
        ("Classic card; 120 days; from posting", "| Classic card | 120 days | from posting |")
    ]


def test_a_table_after_prose_has_a_header_of_its_own(ranker: SentenceRanker) -> None:
    text = "| Code | Name |\n| A | Alpha |\n\nThis is the second table.\n\n| Letter | Sound |\n| B | Bravo |"
    assert {found for found, _ in read(ranker, passage(text))} == {
        "Code: A; Name: Alpha",
        "This is the second table.",
        "Letter: B; Sound: Bravo",
    }


@pytest.mark.parametrize(
    "line",
    [
        "Merchant blacklist policy | Page 1",
        "Merchant blacklist policy - page 12 of 14",
        "Page 3 of 12",
        "Page 3 | Confidential, internal use only",
        "— 3 of 12 —",
        "## 2. Ways to report a dispute",
        "Ways to report a dispute",
        "Merchant blacklist policy",
        "| --- | --- |",
        "Yes, two.",
        "word " * 61,
    ],
)
def test_headings_page_furniture_fragments_and_monsters_are_not_quoted(ranker: SentenceRanker, line: str) -> None:
    heading = ("Merchant blacklist policy", "2. Ways to report a dispute")
    found = read(ranker, passage(f"{line}\n\nCall the desk to report a dispute.", heading=heading))
    assert found == [("Call the desk to report a dispute.",) * 2]


@pytest.mark.parametrize(
    "sentence",
    [
        "See page 4 for the limits.",
        "The form has three pages.",
        "Refunds take 3 of 12 days.",
        "Ways to report a dispute are listed here.",
    ],
)
def test_sentences_that_look_a_little_like_furniture_are_quoted(ranker: SentenceRanker, sentence: str) -> None:
    assert read(ranker, passage(sentence, heading=("Ways to report a dispute",))) == [(sentence, sentence)]


def test_markup_is_read_away_but_quoted_verbatim(ranker: SentenceRanker) -> None:
    found = read(ranker, passage("- **Block** the card with `code F` at once."))
    assert found == [("Block the card with code F at once.", "- **Block** the card with `code F` at once.")]


def test_nothing_to_quote_gives_no_candidates(ranker: SentenceRanker) -> None:
    assert ranker.rank("card", [], limit=5) == []
    assert ranker.rank("card", [passage("# Cards"), passage("")], limit=5) == []


def test_passages_are_scored_by_their_best_sentence(ranker: SentenceRanker) -> None:
    scores = ranker.passage_scores(
        "How long is the dispute window?",
        [
            passage("Bananas are yellow fruit.", "a#0"),
            passage("The dispute window is 120 days.", "b#0"),
            passage("", "c#0"),
        ],
    )
    assert scores[1] > scores[0] > scores[2] == -1


def test_the_last_passages_are_remembered_and_no_more(
    embedder: MiniLMEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(found: Passage) -> list[Reading]:
        read.append(found.chunk_id[0])
        return readings(found)

    monkeypatch.setattr("tools.knowledge.rank._CACHED_PASSAGES", 2)
    monkeypatch.setattr("tools.knowledge.rank.readings", counted)
    ranker = SentenceRanker(embedder, Bm25Encoder())
    for name in ("a", "b", "a", "c", "a", "b"):
        ranker.rank("card", [passage("The card is new.", f"{name}#0")], limit=1)
    assert read == ["a", "b", "c", "b"]  # b was the one not asked for longest


def test_the_grammar_admits_the_best_sentences_and_nothing_else() -> None:
    best, tied, extra, weak = (
        candidate("The window is 120 days.", n=1, score=1.0),
        candidate("It is counted from posting.", n=2, score=0.99),
        candidate("Debit cards have 90 days.", n=3, score=0.9),
        candidate("Bananas are yellow.", n=4, score=0.2),
    )
    assert language(quote_grammar([best])) == {best.cited}
    assert language(quote_grammar([best, weak])) == {best.cited}
    assert language(quote_grammar([best, tied])) == {best.cited, tied.cited}
    assert language(quote_grammar([best, tied, extra, weak])) == {
        f"{best.cited} {extra.cited}",
        f"{tied.cited} {extra.cited}",
    }


def test_an_extra_sentence_is_left_out_where_it_would_make_the_answer_long() -> None:
    best, long = candidate("word " * 40, score=1.0), candidate("other " * 30, n=2, score=0.9)
    assert language(quote_grammar([best, long])) == {best.cited}


@pytest.mark.parametrize(
    "text",
    [
        r'Say "no" to C:\temp.',
        "Brackets [sic] and {x} | y",
        "It's 50% ← now",
        r"\n is two characters",
        "tab\tand\nlines",
    ],
)
def test_awkward_sentences_survive_the_grammar(text: str) -> None:
    one = candidate(text)
    assert language(quote_grammar([one])) == {one.cited}


@given(st.lists(TEXTS, min_size=1, max_size=4, unique_by=str.casefold))
def test_what_the_grammar_admits_is_read_back_as_the_same_candidates(texts: list[str]) -> None:
    offered = [candidate(text, n=n, score=1.0 - n / 20) for n, text in enumerate(texts, start=1)]
    for answer in language(quote_grammar(offered)):
        chosen = chosen_candidates(answer, offered)
        assert " ".join(one.cited for one in chosen) == answer


def test_a_sentence_inside_another_is_not_taken_for_chosen() -> None:
    inner, outer = candidate("limit is 500 EUR."), candidate("The daily limit is 500 EUR.")
    assert chosen_candidates(outer.cited, [inner, outer]) == [outer]
    longer = candidate("The fee [1] is due.")
    assert chosen_candidates(longer.cited, [candidate("The fee"), longer]) == [longer]


@pytest.mark.parametrize("answer", ["", "The daily lim", "Something else [1]"])
def test_an_answer_that_was_cut_off_chooses_nothing(answer: str) -> None:
    assert chosen_candidates(answer, [candidate("The daily limit is 500 EUR.")]) == []


def test_a_cut_off_second_sentence_is_left_out() -> None:
    first, second = candidate("The limit is 500 EUR."), candidate("It is checked daily.", n=2)
    assert chosen_candidates(f"{first.cited} It is che", [first, second]) == [first]


def test_candidates_are_plain_values() -> None:
    assert candidate("The limit.") == Candidate("The limit.", "The limit.", passage("The limit.", "doc1#0"), 1, 1.0)
