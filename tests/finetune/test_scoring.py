from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finetune.base import Base
from finetune.errors import RecipeError, RowsError
from finetune.scoring import Scorer, open_scorer
from finetune.task import load_task
from finetune.training.prepare import Job


@pytest.fixture(scope="module")
def scorer(job: Job, trained: Path) -> Scorer:
    return open_scorer(trained, load_task(trained), job.base)


def test_bulk_gives_what_one_row_after_the_other_gives(job: Job, scorer: Scorer) -> None:
    texts = [row.text + " again" * (row.number % 5) for row in list(job.rows)[:20]]
    bulk, plain = scorer.score(texts, batch_size=7), scorer.score_one_by_one(texts)
    np.testing.assert_allclose(bulk.logits, plain.logits, atol=1e-4)
    assert bulk.parsed.tolist() == plain.parsed.tolist()
    assert bulk.tokens < plain.tokens


def test_over_length_rows_are_named(job: Job, trained: Path) -> None:
    task = load_task(trained)
    short = Scorer(job.base, task.prompt, 40, trained)
    with pytest.raises(RowsError) as raised:
        short.score(["5 EUR.", "9 times the usual amount " * 30])
    assert raised.value.code == "over_length"


def test_an_adapter_of_another_base_is_refused(job: Job, trained: Path) -> None:
    other = Base("other", job.base.folder, job.base.gguf, "0" * 64)
    with pytest.raises(RecipeError, match="other"):
        open_scorer(trained, load_task(trained), other)
