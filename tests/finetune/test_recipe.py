from __future__ import annotations

from pathlib import Path

import pytest

from finetune.errors import RecipeError
from finetune.recipe import Recipe, load_recipe, recipe_names

RECIPE = Recipe(epochs=2, patience=2)


def test_with_enough_positives_every_row_is_in_every_epoch() -> None:
    decided = RECIPE.for_rows(20, 80)
    assert decided == RECIPE.model_copy(update={"negatives_per_positive": None, "teacher": False})


def test_rare_positives_are_seen_more_often_in_about_as_many_steps() -> None:
    decided = RECIPE.for_rows(60, 940)
    assert decided.negatives_per_positive == 4
    assert decided.teacher is True
    assert decided.epochs == 6
    assert decided.patience == 3
    assert decided.epochs * 5 * 60 <= RECIPE.epochs * 1000


def test_very_rare_positives_are_not_learned_by_heart() -> None:
    assert RECIPE.for_rows(5, 9995).epochs == 8


@pytest.mark.parametrize("wanted", [None, 2.5])
def test_what_a_recipe_says_is_kept(wanted: float | None) -> None:
    recipe = RECIPE.model_copy(update={"negatives_per_positive": wanted})
    assert recipe.for_rows(5, 9995) == recipe.model_copy(update={"teacher": True})


@pytest.mark.parametrize("name", recipe_names())
def test_packaged_recipes_load_by_name(name: str) -> None:
    assert load_recipe(Path(name), threads=2).threads == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [("rank: 0", "rank"), ("speed: 3", "speed"), ("- a", "does not fit"), ("rank: [", "not valid YAML")],
)
def test_a_recipe_that_does_not_fit_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "own.yaml").write_text(content)
    with pytest.raises(RecipeError, match=said):
        load_recipe(tmp_path / "own.yaml")


def test_a_recipe_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(RecipeError, match="default, qlora, quick"):
        load_recipe(Path("none"))
