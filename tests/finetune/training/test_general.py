from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel

from finetune.base import Base, load_model, load_tokenizer
from finetune.label_model import Inputs
from finetune.recipe import Recipe
from finetune.training.general import GeneralText, general_texts
from finetune.training.prepare import CHECKPOINTS, Job
from finetune.training.run import train
from tests.finetune.conftest import RECIPE


def text_loss(base: Base, adapter: Path, texts: list[list[int]]) -> float:
    model: Any = PeftModel.from_pretrained(load_model(base), str(adapter)).eval()
    general = GeneralText(Inputs(torch.empty(0), [torch.tensor(text) for text in texts]), texts, 1.0)
    with torch.no_grad():
        return float(general.loss(model, len(texts), [0]))


@pytest.mark.parametrize("first_layer", [0, 1])
def test_an_adapter_trained_beside_general_text_forgets_less(job: Job, tmp_path: Path, first_layer: int) -> None:
    def run(share: float) -> Path:
        recipe = RECIPE.model_copy(update={"general_share": share, "first_layer": first_layer})
        return train(replace(job, recipe=recipe, out=tmp_path / f"run-{share}")).folder

    mixed, plain = run(0.5), run(0.0)
    texts: list[list[int]] = json.loads((mixed / CHECKPOINTS / "general.json").read_bytes())
    others = general_texts(load_model(job.base), load_tokenizer(job.base), 99, tmp_path / "others.json", len(texts))
    assert text_loss(job.base, mixed, others) < text_loss(job.base, plain, others)


def test_general_texts_are_written_once_for_a_seed(job: Job, tmp_path: Path) -> None:
    model, tokenizer = load_model(job.base), load_tokenizer(job.base)
    texts = general_texts(model, tokenizer, 5, tmp_path / "a.json", 40)
    assert len(texts) == 40
    assert all(8 <= len(text) <= 64 for text in texts)
    assert len({text[0] for text in texts}) > 20
    assert general_texts(model, tokenizer, 5, tmp_path / "b.json", 40) == texts
    assert general_texts(None, None, 5, tmp_path / "a.json", 40) == texts


def test_a_fifth_of_the_rows_is_one_text_for_four() -> None:
    assert Recipe(general_share=0.2).general_per_row == pytest.approx(0.25)
