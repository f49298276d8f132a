"""Train every variant of a recipe on the same rows and measure each on the same test rows."""

from __future__ import annotations

import gc
import json
import math
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from peft import PeftModel
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from finetune.base import Base, load_model, load_tokenizer
from finetune.errors import RecipeError
from finetune.evaluation.metrics import intervals, measure
from finetune.forgetting.likelihood import Line, log_likelihoods, text_line
from finetune.forgetting.texts import packaged_texts
from finetune.recipe import Recipe
from finetune.rows import Row, rows_sha256
from finetune.scoring import open_scorer
from finetune.training.prepare import Job
from finetune.training.run import Outcome, train

RESULTS_NAME = "ablation.json"
_MEASURED = "measured.json"
_FACTS = ("seconds", "epochs", "tokens_per_s", "peak_memory_mb")

Changes = Mapping[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True)
class Study:
    """A job whose `out` is the study's folder, changes to its recipe by name, and rows to measure on."""

    job: Job
    variants: Mapping[str, Changes]
    test: Sequence[Row]

    def recipe(self, name: str) -> Recipe:
        """A variant's recipe. Raises RecipeError when it does not fit."""
        try:
            return Recipe.model_validate({**self.job.recipe.model_dump(), **self.variants[name]})
        except ValidationError as error:
            problem = error.errors()[0]
            setting = ".".join(map(str, problem["loc"]))
            raise RecipeError(f"The variant {name!r} does not fit: {setting}: {problem['msg']}") from None


def load_variants(path: Path | None) -> dict[str, Changes]:
    """Changes by name from a YAML file, the packaged ones without one. Raises RecipeError when it cannot be read."""
    try:
        packaged = resources.files("finetune.ablation").joinpath("variants.yaml")
        found: object = yaml.safe_load((packaged if path is None else path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"The variants {path} cannot be read: {error}") from None
    if not isinstance(found, dict) or not found or not all(isinstance(changes, dict) for changes in found.values()):
        raise RecipeError(f"The variants {path} are no YAML mapping of names to settings of a recipe.")
    return {str(name): changes for name, changes in found.items()}


def study(wanted: Study, changed: Callable[[list[Result]], None] = lambda results: None) -> list[Result]:
    """Each variant's settings and figures; those that the folder has are not trained again.

    Metrics are of the test rows with 95% intervals; `perplexity_ratio` is that of packaged general text with the
    adapter on against off. `changed` hears of all results after each. Raises RowsError, RecipeError or TrainingError.
    """
    recipes = {name: wanted.recipe(name) for name in wanted.variants}
    results: list[Result] = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(file=sys.stderr)) as shown:
        bar = shown.add_task("variants", total=len(recipes))
        for name, recipe in recipes.items():
            shown.update(bar, description=name)
            results.append(_result(wanted, name, recipe))
            shown.advance(bar)
            changed(results)
    return results


def _result(wanted: Study, name: str, recipe: Recipe) -> Result:
    job = replace(wanted.job, recipe=recipe, out=wanted.job.out / _folder_name(name))
    kept = job.out / _MEASURED
    identity = {"recipe": recipe.model_dump(), "rows": rows_sha256([*job.rows, *(job.validation or ()), *wanted.test])}
    if kept.is_file():
        result: Result = json.loads(kept.read_bytes())
        if result["identity"] == identity:
            return result
    outcome = train(job)
    shutil.rmtree(job.checkpoints, ignore_errors=True)
    gc.collect()
    result = {
        "name": name,
        "changes": dict(wanted.variants[name]),
        **_figures(wanted, outcome),
        "perplexity_ratio": _perplexity_ratio(job.base, outcome.folder),
        "identity": identity,
    }
    kept.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def _folder_name(name: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split())


def _figures(wanted: Study, outcome: Outcome) -> Result:
    task = outcome.task
    logits = open_scorer(outcome.folder, task, wanted.job.base).score([row.text for row in wanted.test]).logits
    scored = task.decision.apply(logits, [task.labels.index(row.label) for row in wanted.test])
    facts = {name: outcome.report[name] for name in _FACTS}
    return {**facts, "n": len(wanted.test), **measure(scored), "intervals": intervals(scored)}


def _perplexity_ratio(base: Base, adapter: Path) -> float:
    tokenizer = load_tokenizer(base)
    lines = [text_line(tokenizer, text) for text in packaged_texts()["general"]]
    model: Any = PeftModel.from_pretrained(load_model(base), str(adapter)).eval()
    on = _nats_per_token(model, lines)
    with model.disable_adapter():
        return math.exp(on - _nats_per_token(model, lines))


def _nats_per_token(model: Any, lines: Sequence[Line]) -> float:
    return -float(log_likelihoods(model, lines).sum()) / sum(line.counted for line in lines)
