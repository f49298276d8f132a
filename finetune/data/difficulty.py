"""How hard a data set is for gradient boosting on the transactions' fields: the bar an adapter is measured against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.preprocessing import OrdinalEncoder

from tools.fraud.transaction import Transaction

RAW_NUMBERS = ("amount", "hour", "card_age_days")
RAW_CATEGORIES = ("currency", "merchant_category", "channel", "country", "city", "customer_home_country",
                  "transaction_code")  # fmt: skip
HISTORY_NUMBERS = ("customer_usual_amount", "distance_from_last_km", "minutes_since_last", "count_1h", "count_24h",
                   "count_7d", "first_time_merchant", "first_time_category")  # fmt: skip
_MAX_CATEGORIES = 250


@dataclass(frozen=True)
class FieldsScore:
    """Test metrics of gradient boosting on one set of fields, and the scores behind them."""

    pr_auc: float
    roc_auc: float
    scores: NDArray[np.float64]


def boost_on_fields(
    train: Sequence[Transaction],
    train_labels: Sequence[bool],
    test: Sequence[Transaction],
    test_labels: Sequence[bool],
    *,
    history: bool,
    seed: int = 0,
) -> FieldsScore:
    """Fit scikit-learn's gradient boosting on the message's fields, with or without the history features.

    Names and notes are text and not among the fields.
    """
    numbers = (*RAW_NUMBERS, *HISTORY_NUMBERS) if history else RAW_NUMBERS
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, max_categories=_MAX_CATEGORIES, dtype=np.float64
    )
    encoder.fit(_categories(train))
    table, test_table = (_matrix(rows, numbers, encoder) for rows in (train, test))
    # A field that the file never fills in, or always with the same, cannot be binned.
    varies = np.array([len(np.unique(column[~np.isnan(column)])) > 1 for column in table.T])
    categorical = np.array([False] * len(numbers) + [True] * len(RAW_CATEGORIES))[varies]
    options: dict[str, Any] = {"categorical_features": categorical, "early_stopping": True}
    model = HistGradientBoostingClassifier(max_iter=300, learning_rate=0.06, random_state=seed, **options)
    model.fit(table[:, varies], np.asarray(train_labels))
    scores = np.asarray(model.predict_proba(test_table[:, varies])[:, 1], dtype=np.float64)
    measures = cast("Any", metrics)
    return FieldsScore(
        pr_auc=float(measures.average_precision_score(test_labels, scores)),
        roc_auc=float(measures.roc_auc_score(test_labels, scores)),
        scores=scores,
    )


def _categories(rows: Sequence[Transaction]) -> NDArray[np.object_]:
    return np.array([[str(getattr(row, name) or "") for name in RAW_CATEGORIES] for row in rows], dtype=object)


def _matrix(rows: Sequence[Transaction], numbers: Sequence[str], encoder: OrdinalEncoder) -> NDArray[np.float64]:
    """One row per transaction: numbers (NaN where unknown), then category codes."""
    table = np.array([[_number(row, name) for name in numbers] for row in rows], dtype=np.float64)
    codes = np.asarray(encoder.transform(_categories(rows)), dtype=np.float64)
    codes[codes < 0] = np.nan
    return np.hstack([table, codes])


def _number(row: Transaction, name: str) -> float:
    if name == "hour":
        return float(row.time_of_day.hour) if row.time_of_day else np.nan
    value: float | bool | None = getattr(row, name)
    return np.nan if value is None else float(value)
