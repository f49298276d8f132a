"""One training run: set up, train, keep the best, calibrate, report."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import datasets
import torch
from transformers import EarlyStoppingCallback, PrinterCallback, set_seed
from trl.trainer.sft_config import SFTConfig

from finetune.base import load_model, load_tokenizer
from finetune.calibrate import Decision, fit_calibration
from finetune.evaluation.metrics import Values, measure, pr_auc_error
from finetune.memory import out_of_memory_told
from finetune.objective import Logits
from finetune.recipe import Recipe
from finetune.task import TASK_NAME, TRAINING_NAME, AdapterTask
from finetune.threshold_cost import threshold_cost
from finetune.training.adapter import add_adapter, save_adapter
from finetune.training.average import average_checkpoints
from finetune.training.checkpoints import last_whole_checkpoint
from finetune.training.machine import Memory, git_commit
from finetune.training.plots import save_curves
from finetune.training.prepare import Job, Prepared, forget_lower, prepare
from finetune.training.progress import Progress, read_history
from finetune.training.sampler import BucketSampler
from finetune.training.selection import ERROR, METRIC, kept_step
from finetune.training.tracking import TrackedRun, track
from finetune.training.trainer import LabelTrainer, Split, split_logits
from tools.fraud.calibration import Calibration

CURVES_NAME = "curves.png"
_UNCALIBRATED = Decision(Calibration(), 0.5)
_WHAT_TO_LOWER = (
    "Lower batch_size (raise accumulation by the same factor), then max_length, then rank; raise first_layer; or use "
    "the qlora recipe on a GPU."
)


@dataclass(frozen=True)
class Outcome:
    """A finished run: the adapter's folder, its description and the report's figures."""

    folder: Path
    task: AdapterTask
    report: dict[str, Any]


def train(job: Job) -> Outcome:
    """Train an adapter, resuming from the last checkpoint in `job.out` when the run is the same.

    Raises RowsError (unusable or over-length rows, before anything is computed), RecipeError, OutOfMemoryError with
    the settings to lower, or TrainingError when another run's checkpoints lie in the folder.
    """
    with out_of_memory_told(_WHAT_TO_LOWER):
        return _train(job)


def _train(job: Job) -> Outcome:
    recipe = job.recipe
    started = time.perf_counter()
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)
    set_seed(recipe.seed)
    memory = Memory()
    model = load_model(job.base, four_bit=recipe.four_bit)
    layers = model.config.num_hidden_layers
    prepared = prepare(job, model)
    job = replace(job, recipe=prepared.recipe)
    model = add_adapter(model, recipe)
    trainer = _trainer(job, prepared, model)
    with _tracked(job, prepared) as run:
        best = _fit(job, trainer)
        save_adapter(best, job.out, recipe.first_layer, layers)
        logits = split_logits(trainer.model, prepared.calibration, prepared.label_ids)
        task = _describe(job, prepared, logits)
        task.save(job.out)
        report = {
            **_facts(job, prepared),
            "epochs": trainer.state.epoch,
            "best_checkpoint": best.name,
            "tokens_per_s": round(trainer.throughput.tokens_per_s, 1),
            "peak_memory_mb": memory.peak_mb(),
            "seconds": round(time.perf_counter() - started, 1),
            "threads": torch.get_num_threads(),
            "calibration_split": task.metrics,
            "threshold_cost": _threshold_cost(job, task, logits, prepared.calibration.labels),
        }
        files = [job.out / TRAINING_NAME, job.out / CURVES_NAME, job.out / TASK_NAME]
        files[0].write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        history = read_history(job.out)
        save_curves(history, files[1])
        forget_lower(job)
        run.finish(history, {name: value for name, value in task.metrics.items() if value is not None}, files)
    return Outcome(job.out, task, report)


def _fit(job: Job, trainer: LabelTrainer) -> Path:
    """Run the epochs that are left; the folder of the checkpoint that is kept, whose weights the model then has."""
    checkpoints = job.checkpoints
    trainer.train(resume_from_checkpoint=last_whole_checkpoint(checkpoints))
    step = kept_step(read_history(job.out))
    best = checkpoints / f"checkpoint-{trainer.state.global_step if step is None else step}"
    trainer.load_adapter(best)
    return average_checkpoints(trainer, best, METRIC) if job.recipe.average else best


def _tracked(job: Job, prepared: Prepared) -> AbstractContextManager[TrackedRun]:
    tags = {"git_commit": git_commit() or "unknown", "data_sha256": prepared.data_sha256, "base": job.base.name}
    return track(job.tracking or job.out / "mlruns", f"{job.task} {job.out.name}", job.recipe.model_dump(), tags)


def _facts(job: Job, prepared: Prepared) -> dict[str, Any]:
    teacher = prepared.teacher
    splits = {"train": prepared.train, "early_stopping": prepared.stop, "calibration": prepared.calibration}
    return {
        "task": job.task,
        "base": job.base.name,
        "base_sha256": job.base.sha256,
        "recipe": job.recipe.model_dump(),
        "git_commit": git_commit(),
        "data_sha256": prepared.data_sha256,
        "rows": {name: len(split.labels) for name, split in splits.items()},
        "positive_share": round(prepared.train.labels.count(0) / len(prepared.train.labels), 4),
        "tokens_per_row": round(prepared.tokens_per_row, 1),
        "teacher": None if teacher is None else {"name": teacher.name, "pr_auc": round(teacher.pr_auc, 4)},
    }


def _trainer(job: Job, prepared: Prepared, model: Any) -> LabelTrainer:
    recipe = job.recipe
    negatives = recipe.negatives_per_positive
    assert negatives != "auto"
    sampler = BucketSampler(
        prepared.train.inputs.lengths,
        [label == 0 for label in prepared.train.labels],
        recipe.batch_size,
        recipe.seed,
        negatives,
    )

    def metric(logits: Logits, labels: Sequence[int]) -> dict[str, float]:
        scored = _UNCALIBRATED.apply(logits, labels)
        watched = {name: value for name, value in measure(scored).items() if value is not None and name in _WATCHED}
        return {**watched, ERROR: pr_auc_error(scored)}

    rows = datasets.Dataset.from_dict({"row": range(len(prepared.train.labels))})
    trainer = LabelTrainer(
        model=model,
        args=_arguments(job, len(sampler)),
        train_dataset=rows,
        eval_dataset=rows.select([0]),
        processing_class=load_tokenizer(job.base),
        callbacks=[EarlyStoppingCallback(early_stopping_patience=recipe.patience)],
        train=_with_teacher(prepared, sampler),
        validation=prepared.stop,
        label_ids=prepared.label_ids,
        sampler=sampler,
        metric=metric,
        general=prepared.general,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Progress(job.out, trainer.throughput))
    return trainer


def _with_teacher(prepared: Prepared, sampler: BucketSampler) -> Split:
    teacher = prepared.teacher
    return (
        prepared.train
        if teacher is None
        else replace(prepared.train, teacher=teacher.for_sample(sampler.negatives_left))
    )


_WATCHED = ("pr_auc", "roc_auc", "mcc", "f1")


def _arguments(job: Job, rows_per_epoch: int) -> Any:
    recipe = job.recipe
    steps_per_epoch = -(-rows_per_epoch // (recipe.batch_size * recipe.accumulation))
    steps = job.max_steps or max(1, round(recipe.epochs * steps_per_epoch))
    return SFTConfig(
        output_dir=str(job.checkpoints),
        max_steps=steps,
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.accumulation,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule if recipe.schedule != "constant" else "constant_with_warmup",
        warmup_steps=round(recipe.warmup * steps),
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.clip_norm,
        adam_beta2=0.99,
        bf16=_bf16(recipe),
        eval_strategy="epoch",
        save_strategy="epoch",
        # Early stopping wants it; which checkpoint is kept is decided when all are there.
        load_best_model_at_end=True,
        metric_for_best_model=f"eval_{METRIC}",
        greater_is_better=True,
        logging_steps=10,
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        gradient_checkpointing=False,
        seed=recipe.seed,
        data_seed=recipe.seed,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
    )


def _bf16(recipe: Recipe) -> bool:
    # CPUs without bf16 instructions emulate it, four times slower than float32.
    return recipe.precision == "bf16" or (recipe.precision == "auto" and torch.cuda.is_available())


def _threshold_cost(
    job: Job, task: AdapterTask, logits: Logits, labels: Sequence[int]
) -> dict[str, float | int | str | None] | None:
    if not labels:
        return None
    scored = task.decision.apply(logits, labels)
    found = threshold_cost(scored, job.costs, task.threshold, job.deployed_rate)
    return None if found is None else found.to_dict()


def _describe(job: Job, prepared: Prepared, logits: Logits) -> AdapterTask:
    labels = prepared.calibration.labels
    calibration = fit_calibration(logits, labels, job.deployed_rate)
    decision = Decision(calibration, job.costs.threshold)
    metrics: Values = measure(decision.apply(logits, labels)) if labels else {}
    return AdapterTask(
        task=job.task,
        classes=prepared.labels.classes,
        words=prepared.labels.words,
        prompt_version=prepared.prompt.version,
        instruction=prepared.prompt.instruction,
        base_name=job.base.name,
        base_sha256=job.base.sha256,
        base_path=None if job.base.packaged else str(job.base.path.absolute()),
        data_sha256=prepared.data_sha256,
        max_length=job.recipe.max_length,
        levels=prepared.prompt.levels,
        calibration=calibration,
        threshold=decision.threshold,
        metrics=metrics,
    )
