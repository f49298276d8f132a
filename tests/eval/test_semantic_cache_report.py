from __future__ import annotations

from pydantic import TypeAdapter

from eval.cases import REPOSITORY
from eval.semantic_cache_report import Report, agrees, filled, golden_pairs, labelled_pairs


def test_numbers_names_and_negations_set_questions_apart() -> None:
    assert agrees("How long is the window?", "What is the window's length?")
    for other in (
        "How long is the window after 90 days?",
        "How long is the window at Voltaro?",
        "How long is the window not?",
    ):
        assert not agrees("How long is the window?", other)


def test_labelled_pairs_are_those_that_rules_would_let_through() -> None:
    pairs = labelled_pairs()
    assert set(pairs) == {"same", "different"}
    assert [pair for kind in pairs.values() for pair in kind if not agrees(*pair)] == []
    assert len({frozenset(pair) for kind in pairs.values() for pair in kind}) == sum(map(len, pairs.values()))


def test_golden_pairs_agree_in_marks_and_are_two_questions() -> None:
    pairs = golden_pairs()
    assert pairs
    assert all(a != b and agrees(a, b) for a, b in pairs)


def test_the_decision_record_shows_the_result_file() -> None:
    report = TypeAdapter(Report).validate_json((REPOSITORY / "docs/results/semantic-cache.json").read_bytes())
    record = (REPOSITORY / "docs/decisions/0012-semantic-cache.md").read_text("utf-8")
    assert filled(record, report) == record
    assert (report.same_pairs, report.different_pairs) == tuple(map(len, labelled_pairs().values()))
    assert report.golden_pairs == len(golden_pairs())
