from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from finetune.data.clients import simulate_clients, write_clients
from finetune.evaluation.baselines import numbers_logistic
from finetune.evaluation.metrics import measure
from finetune.labels import LabelSpace
from finetune.rows import Row
from tools.fraud.number_levels import fit_number_levels


def test_six_in_a_hundred_clients_are_bad_and_their_numbers_say_which() -> None:
    clients = simulate_clients(6000, 3)
    labels = np.array(clients.labels)
    assert labels.mean() == pytest.approx(0.06, abs=0.01)
    rows = [
        Row(text, str(label), at)
        for at, (text, label) in enumerate(zip(clients.texts, clients.labels, strict=True), start=1)
    ]
    space = LabelSpace(("1", "0"), ("1", "0"))
    levels = fit_number_levels(clients.texts[:4000])
    assert levels is not None
    truth = [space.index(row.label) for row in rows[4000:]]
    scored = numbers_logistic(rows[4000:], truth, rows[:4000], space, levels)
    roc_auc = measure(scored)["roc_auc"]
    assert roc_auc is not None
    assert 0.9 < roc_auc < 0.99


def test_a_seed_is_a_world() -> None:
    assert simulate_clients(50, 1) == simulate_clients(50, 1) != simulate_clients(50, 2)


def test_training_and_test_clients_come_from_one_world(tmp_path: Path) -> None:
    write_clients(tmp_path, 0, train_rows=40, test_rows=20)
    found: list[tuple[str, int]] = []
    for name in ("train", "test"):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            found += [(row["text"], int(row["label"])) for row in csv.DictReader(file)]
    clients = simulate_clients(60, 0)
    assert found == list(zip(clients.texts, clients.labels, strict=True))
