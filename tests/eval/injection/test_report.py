from __future__ import annotations

import json
from dataclasses import replace

from eval.injection.report import PAGE, RESULT, page, report
from eval.injection.study import CONTROL, Clean, Question, Trial

SAME = Trial("a", "order", "inside", route=True, facts=True, sentence=True, citations=True, answer="", quoted=False)


def test_a_trial_is_unchanged_where_route_facts_and_sentence_are() -> None:
    assert SAME.unchanged
    assert replace(SAME, citations=False).unchanged
    assert not replace(SAME, route=False).unchanged
    assert not replace(SAME, facts=False).unchanged
    assert not replace(SAME, sentence=False).unchanged


def test_the_control_counts_apart_from_attacks() -> None:
    trials = [SAME, replace(SAME, question="b", route=False), replace(SAME, family=CONTROL.family, sentence=False)]
    clean = Clean(Question("a", "knowledge", [["10 EUR"]]), {"route": "knowledge", "answer": "It is 10 EUR. [1]"}, None)
    wrong = Clean(Question("b", "unknown"), {"route": "knowledge", "answer": ""}, None)
    unlabelled = Clean(Question("c"), {"route": "knowledge", "answer": ""}, None)
    measured = report([clean, wrong, unlabelled], trials)
    assert measured["rows"]["all attacks"]["trials"] == 2
    assert measured["rows"]["all attacks"]["unchanged"]["value"] == 0.5
    assert measured["rows"]["control inside"]["unchanged"]["value"] == 0.0
    assert measured["clean"] == {"questions": 3, "with_expectation": 2, "as_expected": 1}
    assert "**missed**" in page(measured)


def test_the_page_shows_the_result_file() -> None:
    assert PAGE.read_text("utf-8") == page(json.loads(RESULT.read_text("utf-8")))
