from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from finetune.base import Base
from finetune.cli import app
from finetune.errors import OutOfMemoryError, TrainingError
from finetune.memory import out_of_memory_told
from finetune.training.prepare import Job
from finetune.training.run import train

CPU = (
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"
)
EXHAUSTED = [
    MemoryError(),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    RuntimeError(CPU),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]


@pytest.mark.parametrize("error", EXHAUSTED, ids=lambda error: str(error)[:40])
def test_every_way_of_saying_it_is_recognised(error: Exception) -> None:
    with (
        pytest.raises(OutOfMemoryError, match=r"out of memory\. Lower it\.") as caught,
        out_of_memory_told("Lower it."),
    ):
        raise error
    assert caught.value.code == "out_of_memory"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), OSError(errno.ENOENT, "none"), ValueError("memory")])
def test_other_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, out_of_memory_told("Lower it."):
        raise error
    assert caught.value is error


def test_torch_really_says_so_on_a_cpu() -> None:
    with pytest.raises(OutOfMemoryError), out_of_memory_told(""):
        torch.empty(2**60, dtype=torch.uint8)


@pytest.mark.parametrize(
    "place",
    [
        "finetune.training.run.load_model",
        "finetune.training.prepare.LowerLayers",
        "finetune.training.prepare.general_texts",
        "finetune.training.trainer.label_logits",
        "finetune.training.run.fit_calibration",
    ],
)
def test_training_says_what_to_lower_wherever_it_happens(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise RuntimeError(CPU)

    monkeypatch.setattr(place, exhausted)
    recipe = job.recipe.model_copy(update={"general_share": 0.2} if place.endswith("general_texts") else {})
    with pytest.raises(TrainingError, match="Lower batch_size") as caught:
        train(replace(job, recipe=recipe, out=tmp_path / "run", max_steps=1))
    assert caught.value.code == "out_of_memory"


@pytest.mark.parametrize("command", ["evaluate", "score"])
def test_commands_that_score_say_what_to_do(
    trained: Path, tiny_base: Base, rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise RuntimeError(CPU)

    monkeypatch.setattr("finetune.scoring.label_logits", exhausted)
    where = ["--adapter", str(trained), "--data", str(rows_file), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [command, *where, "--base", str(tiny_base.gguf)])
    assert result.exit_code == 1
    assert "ran out of memory. Give it fewer rows" in result.stderr.splitlines()[-1]
