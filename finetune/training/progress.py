"""What a person sees while it trains, and what is kept of it: a line every few seconds, a history file, curves."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from transformers import TrainerCallback

from finetune.training.trainer import Throughput

HISTORY_NAME = "history.jsonl"
_LINE_EVERY_S = 15.0


class Progress(TrainerCallback):
    """Prints step, loss, speed and the time that is left; appends what the trainer logs to the history file."""

    def __init__(self, folder: Path, throughput: Throughput, output: TextIO | None = None) -> None:
        self._history = folder / HISTORY_NAME
        self._throughput = throughput
        self._output = output or sys.stderr
        self._started = self._printed = time.monotonic()
        self._first_step = 0
        self._loss: float | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock; a resumed run keeps the history up to its checkpoint."""
        self._started = time.monotonic()
        self._first_step = state.global_step
        kept = [entry for entry in read_history(self._history.parent) if entry["step"] <= state.global_step]
        self._history.write_text("".join(json.dumps(entry) + "\n" for entry in kept if self._first_step))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Print a line now and then."""
        now = time.monotonic()
        done = state.global_step - self._first_step
        if now - self._printed < _LINE_EVERY_S and state.global_step < state.max_steps:
            return
        self._printed = now
        left = (now - self._started) / max(1, done) * (state.max_steps - state.global_step)
        loss = "" if self._loss is None else f", loss {self._loss:.4f}"
        self._print(
            f"step {state.global_step}/{state.max_steps}, epoch {state.epoch:.2f}{loss}, "
            f"{self._throughput.tokens_per_s:.0f} tokens/s, {_duration(left)} left"
        )

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Keep every figure that the trainer logs."""
        figures = {name: value for name, value in (logs or {}).items() if isinstance(value, int | float)}
        self._loss = figures.get("loss", self._loss)
        with self._history.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": state.global_step, "epoch": state.epoch, **figures}) + "\n")
        shown = {name.removeprefix("eval_"): value for name, value in figures.items() if name.startswith("eval_")}
        if shown:
            self._print("validation: " + ", ".join(f"{name} {value:.4f}" for name, value in shown.items()))

    def _print(self, line: str) -> None:
        print(line, file=self._output, flush=True)


def read_history(folder: Path) -> list[dict[str, float]]:
    """The logged figures of a training folder, oldest first; a line cut off by a kill is left out."""
    path = folder / HISTORY_NAME
    entries: list[dict[str, float]] = []
    for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
        try:
            entries.append(json.loads(line))
        except ValueError:
            break
    return entries


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
