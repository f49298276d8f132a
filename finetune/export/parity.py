"""The parity gate: what is served must answer as what was trained and measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finetune.base import Base, load_tokenizer
from finetune.encoding import render
from finetune.errors import ExportError
from finetune.export.llama_server import LlamaServer
from finetune.scoring import Scorer
from finetune.task import AdapterTask

ROWS = 200
MIN_LABEL_AGREEMENT = 0.99
MAX_MEDIAN_DIFFERENCE = 0.02


@dataclass(frozen=True)
class Parity:
    """Agreement of transformers and llama.cpp on the same rows. Differences are of probabilities."""

    rows: int
    different_tokens: int
    label_agreement: float
    median_difference: float
    p95_difference: float
    floored: int

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
    adapter: Path, served: Served, task: AdapterTask, base: Base, texts: Sequence[str], threads: int = 1
) -> Parity:
    """Compare the trained `adapter` of `base` with what is `served` on up to 200 texts.

    Raises ExportError when they do not agree well enough.
    """
    sample = list(texts)[:ROWS]
    trained = Scorer(base, task.prompt, task.max_length, adapter).score(sample).logits
    tokenizer = load_tokenizer(base)
    with LlamaServer(served.base, served.adapter, threads) as server:
        different = sum(
            tokenizer(render(tokenizer, task.prompt, text), add_special_tokens=False)["input_ids"]
            != server.tokenize(server.render(task.prompt, text))
            for text in sample
        )
        answers = server.score(task.prompt, sample)
    answered = np.array([answer.logprobs for answer in answers])
    truth = [0] * len(sample)
    one, other = task.decision.apply(trained, truth), task.decision.apply(answered, truth)
    gaps = np.abs(one.probabilities - other.probabilities).max(axis=1)
    parity = Parity(
        rows=len(sample),
        different_tokens=int(different),
        label_agreement=float(np.mean(one.decided == other.decided)),
        median_difference=float(np.median(gaps)),
        p95_difference=float(np.quantile(gaps, 0.95)),
        floored=sum(bool(answer.floored) for answer in answers),
    )
    if reasons := parity.reasons():
        raise ExportError(reasons)
    return parity
