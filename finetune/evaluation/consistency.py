"""Whether the same facts in other words get the same label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finetune.objective import Logits
from finetune.rows import Row
from finetune.task import AdapterTask


def paraphrased(rows: Sequence[Row]) -> list[tuple[int, str]]:
    """Every paraphrase with the place of its row."""
    return [(at, text) for at, row in enumerate(rows) for text in row.paraphrases]


def consistency(task: AdapterTask, decided: Sequence[int], owners: Sequence[int], logits: Logits) -> float | None:
    """Share of paraphrases that get the label of their row; None where there are none.

    `decided` holds each row's label, `owners` the row of each paraphrase, `logits` the paraphrases' [n, labels].
    """
    if not owners:
        return None
    answers = task.decision.apply(logits, [0] * len(owners)).decided
    return float(np.mean(answers == np.asarray(decided)[list(owners)]))
