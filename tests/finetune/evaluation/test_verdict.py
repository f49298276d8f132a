from __future__ import annotations

from typing import Any

from finetune.evaluation.verdict import verdict


def baseline(difference: float, low: float, high: float, p: float = 0.2) -> dict[str, Any]:
    found = {"difference": difference, "interval": [low, high]}
    return {"mcnemar_p": p, "differences": {"pr_auc": found, "mcc": found}}


def test_every_baseline_is_ahead_behind_or_undecided_by_its_interval() -> None:
    lines = verdict(
        {
            "baselines": {
                "rules": baseline(0.3, 0.2, 0.4, 1e-9),
                "tfidf_lr": baseline(0.01, -0.01, 0.03),
                "numbers_lr": baseline(-0.02, -0.05, 0.01),
                "gradient_boosting": baseline(-0.1, -0.2, -0.05),
            }
        }
    )
    assert lines[0] == (
        "- **PR-AUC**: the adapter is ahead of the company's rules (+0.300, +0.200 to +0.400); "
        "the adapter is behind gradient boosting on the fields (-0.100, -0.200 to -0.050); "
        "it has more than TF-IDF + logistic regression (+0.010, -0.010 to +0.030), which the interval does not decide; "
        "it has less than logistic regression on the numbers (-0.020, -0.050 to +0.010), which the interval does not "
        "decide."
    )
    assert "| the company's rules | +0.300, +0.200 to +0.400 | +0.300, +0.200 to +0.400 | < 0.001 | paired |" in lines
    assert "The base model without the adapter (zero-shot and with rules and examples) was not measured" in lines[-2]


def test_what_was_measured_is_not_said_to_be_missing() -> None:
    measured = {name: baseline(0.5, 0.4, 0.6) for name in ("base_model", "base_few_shot")}
    assert "not measured" not in " ".join(verdict({"baselines": measured}))
    assert "(with rules and examples) was not" in " ".join(verdict({"baselines": {"base_model": baseline(1, 1, 1)}}))


def test_without_stored_differences_the_intervals_are_put_together_and_the_page_says_so() -> None:
    metrics = {"pr_auc": 0.9, "mcc": 0.8, "intervals": {"pr_auc": [0.85, 0.95], "mcc": [0.7, 0.9]}}
    poor = {"pr_auc": 0.5, "mcc": 0.7, "intervals": {"pr_auc": [0.4, 0.6], "mcc": [0.6, 0.8]}, "mcnemar_p": 0.5}
    said = " ".join(verdict({**metrics, "baselines": {"rules": poor}}))
    assert "ahead of the company's rules (+0.400, +0.288 to +0.512)" in said
    assert "it has more than the company's rules (+0.100, -0.041 to +0.241)" in said
    assert "not paired" in said
    assert "wider, and deciding less" in said
