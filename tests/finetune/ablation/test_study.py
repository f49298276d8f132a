from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from finetune.ablation import study as study_module
from finetune.ablation.page import publish, write_results
from finetune.ablation.study import Study, load_variants, study
from finetune.errors import RecipeError
from finetune.training.prepare import Job
from tests.finetune.conftest import RECIPE


@pytest.fixture
def small(job: Job, tmp_path: Path) -> Study:
    short = RECIPE.model_copy(update={"epochs": 1.0})
    variants = {"as recommended": {}, "no steps to speak of": {"learning_rate": 1e-9}}
    return Study(replace(job, recipe=short, out=tmp_path), variants, list(job.rows)[:40])


def test_variants_are_measured_once_on_the_same_rows(small: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    results = study(small, lambda found: heard.append(len(found)))
    learned, untouched = results
    assert heard == [1, 2]
    assert learned["n"] == untouched["n"] == 40
    assert learned["pr_auc"] > untouched["pr_auc"]
    assert untouched["perplexity_ratio"] == pytest.approx(1, abs=1e-3)
    assert learned["perplexity_ratio"] != pytest.approx(1, abs=1e-3)

    def never_train(job: Job) -> None:
        raise AssertionError(f"trained again: {job.out.name}")

    monkeypatch.setattr(study_module, "train", never_train)
    assert study(small) == results
    write_results(results, small.job.out)
    page = (small.job.out / "ablation.md").read_text()
    assert f"| no steps to speak of | {untouched['pr_auc']:.3f} (" in page
    assert json.loads((small.job.out / "ablation.json").read_text())[0]["name"] == "as recommended"
    documented = publish(small, results, small.job.out / "docs")
    assert page in documented.read_text()
    assert f"on the same {len(small.job.rows)} rows of `fraud`" in documented.read_text()
    assert "identity" not in (small.job.out / "docs/results/finetune-ablation.json").read_text()


def test_a_variant_that_does_not_fit_is_refused_before_any_training(small: Study) -> None:
    with pytest.raises(RecipeError, match=r"'odd' does not fit: schedule"):
        study(replace(small, variants={"good": {}, "odd": {"schedule": "wavy"}}))
    assert not any(small.job.out.iterdir())


def test_packaged_variants_fit_the_packaged_recipe(small: Study) -> None:
    packaged = replace(small, variants=load_variants(None))
    assert len({packaged.recipe(name).model_dump_json() for name in packaged.variants}) == len(packaged.variants) >= 9


@pytest.mark.parametrize("content", ["- a list", "a: 3", "{", ""])
def test_files_that_are_no_variants_say_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "v.yaml").write_text(content)
    with pytest.raises(RecipeError, match="variants"):
        load_variants(tmp_path / "v.yaml")
