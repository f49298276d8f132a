"""`python -m finetune cost`: read prices, count tokens on real rows, write the page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.cost.comparison import Comparison, compare_costs
from finetune.cost.measure import measure_tokens
from finetune.cost.page import write_page
from finetune.cost.prices import DEFAULT_PRICES, Prices, load_prices
from finetune.cost.quality import quality_of_report, training_hours
from finetune.data.prepare import company_policy, samples_folder
from finetune.data.tokens import count_tokens
from finetune.rows import read_rows
from tools.fraud.features import derive_features
from tools.fraud.narrative import narrate
from tools.fraud.policy import FraudPolicy
from tools.fraud.transaction import read_transaction

_MAX_ROWS = 500


@dataclass(frozen=True)
class CostQuestion:
    """Whose prices, on whose rows, and what to change of them.

    `data` None takes the samples' transactions; `report` is an evaluation's, for how well adapter and rules decide and
    for the hours of a training.
    """

    prices: Path = DEFAULT_PRICES
    data: Path | None = None
    policy: Path | None = None
    report: Path | None = None
    requests_per_day: float | None = None
    retrainings_per_year: float | None = None
    rule_changes_per_year: float | None = None


def answer(question: CostQuestion) -> Comparison:
    """Compare the three ways. Raises InputError for an unusable price file, RowsError for unusable rows."""
    policy = company_policy(question.policy)
    narratives = _samples(policy) if question.data is None else [row.text for row in read_rows(question.data)]
    tuned, prompted = measure_tokens(narratives[:_MAX_ROWS], policy, count_tokens())
    return compare_costs(_changed(load_prices(question.prices), question), tuned, prompted)


def write_answer(found: Comparison, out: Path) -> None:
    """Write `cost.md` and `cost.json` to a folder."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "cost.md").write_text(write_page(found), encoding="utf-8")
    (out / "cost.json").write_text(json.dumps(found.record(), indent=2) + "\n", encoding="utf-8")


def publish_answer(found: Comparison, docs: Path) -> Path:
    """Write the page and its figures into a documentation folder; returns the page."""
    (docs / "results").mkdir(parents=True, exist_ok=True)
    (docs / "results" / "finetune-cost.json").write_text(json.dumps(found.record(), indent=2) + "\n", encoding="utf-8")
    page = docs / "finetune-cost.md"
    page.write_text(write_page(found), encoding="utf-8")
    return page


def _changed(prices: Prices, question: CostQuestion) -> Prices:
    """The prices with what the command line states, checked again."""
    names = ("requests_per_day", "retrainings_per_year", "rule_changes_per_year")
    stated: dict[str, Any] = {name: value for name in names if (value := getattr(question, name)) is not None}
    if question.report is not None:
        stated["quality"] = quality_of_report(question.report, prices.quality).model_dump()
        if (hours := training_hours(question.report)) is not None:
            stated["one_time"] = prices.one_time.model_dump() | {"training_hours": hours}
            stated["retraining"] = prices.retraining.model_dump() | {"training_hours": hours}
    return Prices.model_validate(prices.model_dump() | stated)


def _samples(policy: FraudPolicy) -> list[str]:
    path = samples_folder() / "transactions" / "transactions.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    transactions = [read_transaction(row) for row in rows]
    return [narrate(transaction, derive_features(transaction, policy)) for transaction in transactions]
