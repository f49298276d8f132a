from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from finetune.data.clients import simulate_clients
from finetune.evaluation.metrics import binary, measure
from finetune.label_model import Inputs
from finetune.labels import LabelSpace
from finetune.rows import Row
from finetune.training.teacher import Teacher, find_teacher
from finetune.training.trainer import Split
from tools.fraud.number_levels import fit_number_levels

LABELS = LabelSpace(("1", "0"), ("1", "0"))


def test_numbers_of_one_template_teach_better_than_words() -> None:
    clients = simulate_clients(3000, 1)
    rows = [Row(text, str(label), n) for n, (text, label) in enumerate(zip(clients.texts, clients.labels, strict=True))]
    teacher = find_teacher(rows, LABELS, fit_number_levels(clients.texts), 0)
    assert teacher is not None
    assert teacher.name == "numbers_lr"
    scored = binary([1 - label for label in clients.labels], teacher.probabilities, 0.5)
    assert measure(scored)["pr_auc"] == pytest.approx(teacher.pr_auc)
    assert teacher.pr_auc > 0.5


def test_no_row_teaches_itself() -> None:
    """Labels by lot: a model that had seen a row would know its label."""
    lot = random.Random(0)
    rows = [Row(" ".join(lot.choices([f"w{k}" for k in range(60)], k=9)), lot.choice("01"), n) for n in range(400)]
    teacher = find_teacher(rows, LABELS, None, 0)
    assert teacher is not None
    assert teacher.pr_auc < 0.65


def test_texts_without_a_common_word_teach_what_is_usual() -> None:
    teacher = find_teacher([Row(f"one{n}", "1000"[n % 4], n) for n in range(100)], LABELS, None, 0)
    assert teacher is not None
    assert teacher.probabilities == pytest.approx(np.full(100, 0.25), abs=0.02)


def test_more_than_two_labels_or_too_few_rows_have_no_teacher() -> None:
    three = LabelSpace(("a", "b", "c"), ("a", "b", "c"))
    assert find_teacher([Row(f"text {n}", "abc"[n % 3], n) for n in range(60)], three, None, 0) is None
    assert find_teacher([Row(f"text {n}", "10000000"[n % 8], n) for n in range(16)], LABELS, None, 0) is None


@given(st.floats(0.001, 0.999), st.floats(0.01, 1.0))
def test_fewer_negatives_raise_the_odds_by_as_much(probability: float, left: float) -> None:
    [shifted] = Teacher("any", 1.0, np.array([probability])).for_sample(left).probabilities
    assert shifted / (1 - shifted) == pytest.approx(probability / (1 - probability) / left, rel=1e-6)


def test_targets_go_from_the_teacher_to_the_labels() -> None:
    split = Split(Inputs(torch.empty(0), []), [0, 1, 1], Teacher("any", 1.0, np.array([0.9, 0.2, 0.6])))
    assert split.targets([2, 0], 2, 1.0).numpy() == pytest.approx(np.array([[0.6, 0.4], [0.9, 0.1]]))
    assert split.targets([2, 0], 2, 0.0).tolist() == [[0, 1], [1, 0]]
    assert split.targets([2], 2, 0.5).numpy() == pytest.approx(np.array([[0.3, 0.7]]))
