from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from finetune.data.clients import simulate_clients, write_clients


def test_six_in_a_hundred_clients_are_bad_and_their_numbers_say_which() -> None:
    clients = simulate_clients(6000, 3)
    labels = np.array(clients.labels)
    assert labels.mean() == pytest.approx(0.06, abs=0.01)
    fields = np.array([[float(number) for number in re.findall(r"\d+", text)] for text in clients.texts])
    model: Any = make_pipeline(StandardScaler(), LogisticRegression()).fit(fields[:4000], labels[:4000])
    found: Any = model.predict_proba(fields[4000:])[:, 1]
    assert 0.9 < roc_auc_score(labels[4000:], found) < 0.99


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
