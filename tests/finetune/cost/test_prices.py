from __future__ import annotations

from pathlib import Path

import pytest

from finetune.cost.prices import load_prices
from tools.errors import InputError

GOOD = "one_time: {engineering_hours: 1}\nrequests_per_day: 5\nprompt: {per_request: 1}\ntuned: {per_request: 0.1}\n"


def test_the_default_prices_are_complete() -> None:
    prices = load_prices()
    assert prices.requests_per_day > 0
    assert prices.one_time.cost(prices.engineer_per_hour) > 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("- a list\n", "holds no fields"),
        ("{", "no YAML"),
        (GOOD.replace("requests_per_day: 5", "requests_per_day: 0"), "requests_per_day"),
        (GOOD + "price: 3\n", "price"),
        (GOOD.replace("prompt: {per_request: 1}", "prompt: {per_request: 1, per_1k_input: 2}"), "either per_request"),
        (GOOD.replace("prompt: {per_request: 1}", "prompt: {}"), "either per_request"),
        (GOOD + "quality: {caught: {tuned: 90}}\n", "no share"),
        (GOOD + "one_time: {labelled_rows: -1}\n", "one_time"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=named):
        load_prices(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml cannot be read"):
        load_prices(tmp_path / "none.yaml")
