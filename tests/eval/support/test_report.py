from __future__ import annotations

import json

import numpy as np

from eval.support.pairs import SHIPPED, load_pairs
from eval.support.report import PAGE, RESULT, fitted_threshold, page, report


def test_every_passage_has_its_statements_and_every_other_one_is_for_developing() -> None:
    pairs = load_pairs()
    of_file = [pair for pair in pairs if pair.kind in ("in other words", "its words, another meaning")]
    assert (len(of_file), sum(pair.supported for pair in of_file)) == (150, 60)
    assert sum(pair.develop for pair in of_file) == 75
    for develop in (True, False):
        half = [pair for pair in pairs if pair.develop is develop]
        elsewhere = {pair.statement for pair in half if pair.kind == "about something else"}
        assert elsewhere == {pair.statement for pair in half if pair.kind == "its own sentence"}


def test_the_threshold_separates_the_labels_and_is_never_zero() -> None:
    labels = np.array([True, True, False, False])
    assert fitted_threshold(labels, np.array([0.9, 0.6, 0.5, 0.0])) == 0.6


def test_a_check_that_knows_is_measured_against_one_that_keeps_everything() -> None:
    pairs = load_pairs()
    measured = report(pairs, {SHIPPED: [1.0] * len(pairs), "knows": [float(pair.supported) for pair in pairs]})
    shipped, knows = measured["rows"].values()
    assert (shipped["balanced"]["value"], shipped["recall"]) == (0.5, 1.0)
    assert (knows["balanced"]["value"], knows["precision"], knows["gain"]["value"]) == (1.0, 1.0, 0.5)
    assert list(knows["kept"].values()) == [1.0, 1.0, 0.0, 0.0]


def test_the_page_shows_the_result_file() -> None:
    assert PAGE.read_text("utf-8") == page(json.loads(RESULT.read_text("utf-8")))
