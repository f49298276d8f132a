"""Somebody else's task: clients in one sentence each, 6% of them bad, to check the sidecar on what is not ours.

`python -m finetune.data.clients --out DIR` writes `train.csv` and `test.csv`. The label is drawn from a logistic model
of the fields, so that logistic regression on the fields is the best there can be, and how far an adapter stays behind
says what reading numbers from a sentence and few positives cost it.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TRAIN_ROWS = 6200
TEST_ROWS = 3000
_BAD = 0.06
_STATES = 51
_BISECTIONS = 60
# Log-odds of one standard deviation; `woman` and `card` are of one more.
_WEIGHTS = {"woman": 0.95, "card": 0.1, "balance": 2.0, "transactions": 1.35, "abroad": 1.25, "limit": 1.15}
_STATE_SPREAD = 0.85

Column = NDArray[np.int64]


@dataclass(frozen=True)
class Clients:
    """Sentences, and 1 where the client is bad."""

    texts: list[str]
    labels: list[int]


def simulate_clients(rows: int, seed: int) -> Clients:
    """Draw clients; the same seed gives the same ones."""
    random = np.random.default_rng(seed)
    woman = (random.random(rows) < 0.38).astype(np.int64)
    state = random.integers(1, _STATES + 1, rows)
    cards = 1 + (random.random(rows) < 0.03).astype(np.int64)
    exact = np.clip(random.gamma(1.2, 3400, rows), 0, 41_000)
    balance = np.where(random.random(rows) < 0.5, np.round(exact, -3), exact).astype(np.int64)
    transactions = np.clip(random.gamma(1.3, 22, rows), 0, 100).astype(np.int64)
    travelled = np.clip(random.gamma(1.2, 10, rows), 1, 60)
    abroad = np.where(random.random(rows) < 0.65, 0, travelled).astype(np.int64)
    limit = np.clip(random.lognormal(1.9, 0.8, rows), 1, 75).astype(np.int64)
    odds = (
        _WEIGHTS["woman"] * woman
        + random.normal(0, _STATE_SPREAD, _STATES)[state - 1]
        + _WEIGHTS["card"] * (cards - 1)
        + _WEIGHTS["balance"] * _standard(balance)
        + _WEIGHTS["transactions"] * _standard(transactions)
        + _WEIGHTS["abroad"] * _standard(abroad)
        + _WEIGHTS["limit"] * _standard(limit)
    )
    bad = random.random(rows) < _probability(odds + _intercept(odds))
    columns = zip(woman, state, cards, balance, transactions, abroad, limit, strict=True)
    return Clients([_sentence(*map(int, row)) for row in columns], bad.astype(int).tolist())


def _sentence(woman: int, state: int, cards: int, balance: int, transactions: int, abroad: int, limit: int) -> str:
    return (
        f"The client is a {'female' if woman else 'male'}, the state number is {state}, the number of cards is "
        f"{cards}, the credit balance is {balance}, the number of transactions is {transactions}, the number of "
        f"international transactions is {abroad}, the credit limit is {limit}."
    )


def _standard(values: Column) -> NDArray[np.float64]:
    return (values - values.mean()) / values.std()


def _probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-log_odds))


def _intercept(odds: NDArray[np.float64]) -> float:
    """What makes the wanted share bad."""
    low, high = -30.0, 30.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if _probability(odds + middle).mean() > _BAD else (middle, high)
    return low


def write_clients(out: Path, seed: int, train_rows: int = TRAIN_ROWS, test_rows: int = TEST_ROWS) -> None:
    """Write `train.csv` and `test.csv` of other clients of the same world, with the columns `text` and `label`."""
    clients = simulate_clients(train_rows + test_rows, seed)
    out.mkdir(parents=True, exist_ok=True)
    rows = list(zip(clients.texts, clients.labels, strict=True))
    for name, part in (("train", rows[:train_rows]), ("test", rows[train_rows:])):
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *part])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m finetune.data.clients", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of train.csv and test.csv")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another world")
    arguments = parser.parse_args()
    write_clients(arguments.out, arguments.seed)


if __name__ == "__main__":
    main()
