from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.cost.comparison import Comparison, compare_costs
from finetune.cost.economics import break_even
from finetune.cost.measure import TokenCounts
from finetune.cost.page import write_page
from finetune.cost.prices import Prices

# 6,000 labels at 0.50 (3,000), 10 hours of a GPU at 2 (20), and 7.5 hours of an engineer at 100 (750): 3,770 USD.
WORKED_EXAMPLE: dict[str, Any] = {
    "engineer_per_hour": 100,
    "one_time": {
        "labelled_rows": 6000, "labelling_per_row": 0.5, "training_hours": 10, "training_per_hour": 2,
        "engineering_hours": 7.5,
    },
    "requests_per_day": 10000,
    "prompt": {"per_request": 0.03},
    "tuned": {"per_request": 0.01},
}  # fmt: skip
TOKENS = TokenCounts(100, 1, 30), TokenCounts(1000, 4, 900)


def compare(**changes: Any) -> Comparison:
    return compare_costs(Prices.model_validate(WORKED_EXAMPLE | changes), *TOKENS)


def test_the_worked_example() -> None:
    found = compare()
    assert found.one_time == 3770
    assert found.break_even.requests == 188_500
    assert found.break_even.days == 19
    assert found.break_even.first_year == pytest.approx(69_230)


def test_retraining_eats_the_saving() -> None:
    found = compare(retraining={"engineering_hours": 20}, retrainings_per_year=12)
    assert found.retraining_cost == 2000
    by_times = {row.times: row for row in found.retraining}
    assert by_times[0].first_year == pytest.approx(69_230)
    assert by_times[12].first_year == pytest.approx(69_230 - 24_000)
    assert by_times[12].requests == round((3770 + 24_000) / 0.02)
    assert by_times[52].first_year < 0


def test_a_way_whose_decisions_are_not_known_gets_no_total_and_no_way_wins_by_them() -> None:
    quality = {"loss_per_missed_fraud": 100, "caught": {"tuned": 0.9, "rules": 0.1},
               "false_alarms": {"tuned": 0.5, "rules": 0.5}, "measured_on": "mine.json (9 rows)"}  # fmt: skip
    page = write_page(compare(quality=quality))
    assert "running costs only" in page
    assert "| prompt with rules | 0 USD | 109,500 USD | 0 USD | 109,500 USD | not known | not known |" in page
    assert "Shares from mine.json (9 rows)" in page
    assert "Not known for: prompt with rules." in page


def test_prices_per_token_use_the_measured_tokens() -> None:
    found = compare(prompt={"per_1k_input": 0.01, "per_1k_output": 0.05})
    assert found.per_request["prompt"] == pytest.approx((1000 * 0.01 + 4 * 0.05) / 1000)


def test_better_decisions_are_worth_what_they_save() -> None:
    found = compare(
        quality={
            "fraud_rate": 0.002, "loss_per_missed_fraud": 100, "cost_per_false_alarm": 5,
            "caught": {"tuned": 0.9, "prompt": 0.4, "rules": 0.7},
            "false_alarms": {"tuned": 0.01, "prompt": 0.05, "rules": 0.03},
        }
    )  # fmt: skip
    against_prompt = found.gains[0]
    assert against_prompt.frauds_caught == pytest.approx(3_650_000 * 0.002 * 0.5)
    assert against_prompt.false_alarms_avoided == pytest.approx(3_650_000 * 0.998 * 0.04)
    assert against_prompt.value == pytest.approx(365_000 + 3_650_000 * 0.998 * 0.04 * 5)
    assert found.best.way == "tuned"


@pytest.mark.parametrize(
    ("changes", "best"),
    [
        ({}, "rules"),  # nothing ever changes: rules cost nothing
        ({"rule_changes_per_year": 600, "rules_hours_per_change": 6, "prompt_hours_per_change": 6}, "tuned"),
        ({"rule_changes_per_year": 300, "rules_hours_per_change": 6, "requests_per_day": 100,
          "retrainings_per_year": 300, "retraining": {"engineering_hours": 6}}, "prompt"),
    ],
)  # fmt: skip
def test_the_answer_depends_on_volume_and_change(changes: dict[str, Any], best: str) -> None:
    assert compare(**changes).best.way == best


def test_rules_win_where_little_changes_and_tuning_where_much_is_asked() -> None:
    found = compare(
        rule_changes_per_year=12, retrainings_per_year=6, rules_hours_per_change=20,
        retraining={"engineering_hours": 4},
    )  # fmt: skip
    assert found.answers[10_000][1] == "rules"
    assert found.answers[10_000][52] == "tuned"
    assert found.answers[100][52] == "prompt"


def test_a_tuned_request_that_is_not_cheaper_never_pays() -> None:
    found = compare(tuned={"per_request": 0.04})
    assert found.break_even.requests is None
    assert "pays by quality only" in write_page(found)


def test_the_page_names_the_figures_it_rests_on() -> None:
    page = write_page(compare())
    for figure in ("3,770 USD", "188,500 requests", "19 days", "69,230 USD", "| tune | 100 | 30 | 1 |"):
        assert figure in page
    assert len(page.split()) < 700


@given(st.floats(0, 1e6), st.floats(0.0001, 1), st.floats(0, 1), st.floats(1, 1e6), st.integers(1, 366))
def test_break_even_is_where_the_saving_covers_the_cost(
    one_time: float, prompt: float, share: float, per_day: float, days: int
) -> None:
    tuned = prompt * share * 0.99
    found = break_even(one_time, prompt, tuned, per_day, days)
    assert found.requests is not None
    assert found.days is not None
    assert found.requests * (prompt - tuned) >= one_time - 1e-3
    assert (found.requests - 1) * (prompt - tuned) <= one_time + 1e-3
    assert (found.days - 1) * per_day <= found.requests <= found.days * per_day + 1
