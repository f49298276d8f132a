from __future__ import annotations

from pathlib import Path

import pytest

from finetune.errors import RecipeError
from finetune.recipe import Recipe
from finetune.sweep.plan import Plan, Stage, load_plan, settings_of

START = settings_of(Recipe(rank=16, alpha=32, learning_rate=1e-3, epochs=3, batch_size=16))


def test_the_packaged_plan_has_the_stages_in_order() -> None:
    plan = load_plan(None)
    assert [stage.parameter for stage in plan.stages] == [
        "rank", "learning_rate", "epochs", "alpha_per_rank", "batch_size"
    ]  # fmt: skip
    assert plan.stages[0].values == [4, 8, 16, 32]
    assert (min(plan.stages[1].values), max(plan.stages[1].values)) == (1e-5, 1e-3)
    assert plan.stages[2].values == [1, 2, 3, 5]
    assert plan.trials(START) == 4 + 4 + 3 + 2 + 2


def test_values_that_were_measured_by_the_stage_before_count_once() -> None:
    stages = [Stage(parameter="rank", values=[16, 32]), Stage(parameter="epochs", values=[1, 2])]
    assert Plan(stages=stages).trials(START) == 4
    assert Plan(stages=stages).trials(START.having("epochs", 2)) == 3
    assert Plan(stages=stages[::-1]).trials(START) == 3


def test_alpha_grows_with_the_rank() -> None:
    recipe = START.having("rank", 4).recipe(Recipe(dropout=0.1))
    assert (recipe.rank, recipe.alpha, recipe.dropout) == (4, 8, 0.1)
    assert START.having("rank", 4).name == "rank4-lr0.001-epochs3-alpha2-batch16"


def test_values_out_of_range_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"rank1000-.*cannot be trained"):
        START.having("rank", 1000).recipe(Recipe())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages: []", "stages"),
        ("stages: [{parameter: layers, values: [1]}]", "Settings: rank"),
        ("stages: [{parameter: rank, values: []}]", "values"),
        ("stages: [{parameter: rank, values: [1.5]}]", "whole numbers"),
        ("stages: [{parameter: rank, values: [4, 4]}]", "twice"),
        ("stages: [{parameter: learning_rate, values: [-1]}]", "greater than 0"),
        ("stages: [", "cannot be read"),
        ("just text", "does not fit"),
    ],
)
def test_plans_that_do_not_fit_say_why(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(RecipeError, match=said):
        load_plan(tmp_path / "plan.yaml")


def test_a_plan_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"nothing\.yaml cannot be read"):
        load_plan(tmp_path / "nothing.yaml")
