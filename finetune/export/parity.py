"""The parity gate: what is served must answer as what was trained and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finetune.base import Base, load_tokenizer
from finetune.encoding import render
from finetune.errors import ExportError
from finetune.export.llama_server import LlamaServer, ServedScore
from finetune.objective import Logits
from finetune.scoring import Scorer
from finetune.task import AdapterTask

ROWS = 200
LEAST_ROWS = 20
_SEED = 0
MIN_LABEL_AGREEMENT = 0.99
MAX_MEDIAN_DIFFERENCE = 0.02


@dataclass(frozen=True)
class Parity:
    """Agreement of transformers and llama.cpp on the same rows. Differences are of probabilities.

    `wanted_rows` is how many rows the gate is made for: fewer prove less.
    """

    rows: int
    different_tokens: int
    label_agreement: float
    median_difference: float
    p95_difference: float
    floored: int
    wanted_rows: int = ROWS

    @property
    def few(self) -> bool:
        """Whether there were fewer rows than the gate is made for."""
        return self.rows < self.wanted_rows

    def reasons(self) -> list[str]:
        """Why this is no parity; empty when it is."""
        found: list[str] = []
        if self.different_tokens:
            found.append(f"{self.different_tokens} of {self.rows} rows have other tokens in llama.cpp")
        if self.label_agreement < MIN_LABEL_AGREEMENT:
            found.append(f"only {self.label_agreement:.1%} of the labels agree with transformers")
        if self.median_difference > MAX_MEDIAN_DIFFERENCE:
            found.append(f"probabilities differ by {self.median_difference:.3f} in the median")
        return found

    def to_dict(self) -> dict[str, Any]:
        """The figures, for manifests and reports."""
        return asdict(self)


@dataclass(frozen=True)
class Served:
    """The GGUF files that llama.cpp loads: a base with an adapter, or a base that the adapter is merged into."""

    base: Path
    adapter: Path | None = None


def check_parity(
    adapter: Path, served: Mapping[str, Served], task: AdapterTask, base: Base, texts: Sequence[str], threads: int = 1
) -> dict[str, Parity]:
    """Compare the trained `adapter` of `base` with each way it is `served`, on 200 of the texts, drawn by a fixed seed.

    Raises ExportError when one does not agree well enough, or when there are fewer than 20 texts.
    """
    drawn = sample(texts)
    trained = Scorer(base, task.prompt, task.max_length, adapter).score(drawn).logits
    tokenizer = load_tokenizer(base)
    ids = [tokenizer(render(tokenizer, task.prompt, text), add_special_tokens=False)["input_ids"] for text in drawn]
    found: dict[str, Parity] = {}
    for name, files in served.items():
        with LlamaServer(files.base, files.adapter, threads) as server:
            different = sum(
                row != server.tokenize(server.render(task.prompt, text)) for row, text in zip(ids, drawn, strict=True)
            )
            answers = server.score(task.prompt, drawn)
        found[name] = _compare(task, trained, answers, different)
    if reasons := [f"{name}: {reason}" for name, parity in found.items() for reason in parity.reasons()]:
        raise ExportError(reasons)
    return found


def sample(texts: Sequence[str]) -> list[str]:
    """200 of the texts, or all where there are fewer; always the same ones, in their order. Raises ExportError."""
    if len(texts) < LEAST_ROWS:
        raise ExportError([f"parity takes {ROWS} rows and at least {LEAST_ROWS}, --data has {len(texts)}"])
    chosen = np.random.default_rng(_SEED).choice(len(texts), min(ROWS, len(texts)), replace=False)
    return [texts[int(at)] for at in np.sort(chosen)]


def _compare(task: AdapterTask, trained: Logits, answers: Sequence[ServedScore], different: int) -> Parity:
    answered = np.array([answer.logprobs for answer in answers])
    truth = [0] * len(answers)
    one, other = task.decision.apply(trained, truth), task.decision.apply(answered, truth)
    gaps = np.abs(one.probabilities - other.probabilities).max(axis=1)
    return Parity(
        rows=len(answers),
        different_tokens=different,
        label_agreement=float(np.mean(one.decided == other.decided)),
        median_difference=float(np.median(gaps)),
        p95_difference=float(np.quantile(gaps, 0.95)),
        floored=sum(bool(answer.floored) for answer in answers),
    )
