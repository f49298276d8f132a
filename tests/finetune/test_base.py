from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    PretrainedConfig,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
)
from typer.testing import CliRunner

from finetune.base import FAMILIES, Base, load_model, load_tokenizer, open_base, open_base_of, weights_sha256
from finetune.cli import app
from finetune.encoding import encode
from finetune.errors import RecipeError
from finetune.label_model import LowerLayers, label_logits, token_inputs
from finetune.task import load_task
from finetune.training.prepare import Job
from finetune.training.run import train
from tests.finetune.conftest import GROUPS, HEADS, LAYERS, WIDTH
from tools.files import file_sha256
from tools.fraud.prompt import load_prompt

CONFIGS = [LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config, SmolLM3Config]


@pytest.fixture(scope="module")
def folder(tiny_base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as others publish theirs: a Hugging Face folder."""
    folder = tmp_path_factory.mktemp("hugging-face") / "tiny-folder"
    load_model(tiny_base).save_pretrained(folder)
    load_tokenizer(tiny_base).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def adapter(folder: Path, job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that was trained on that folder."""
    out = tmp_path_factory.mktemp("from-folder")
    base = open_base(str(folder), out / "cache")
    return train(replace(job, base=base, out=out / "run")).folder


@pytest.mark.timeout(600)
def test_a_hugging_face_folder_is_trained_on_and_found_again(
    folder: Path,
    adapter: Path,
    rows_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    few_resamples: None,
) -> None:
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path / "data"))
    assert load_task(adapter).base_path == str(folder)
    adapter_and_rows = ["--adapter", str(adapter), "--data", str(rows_file)]
    for command in (["evaluate", "--no-with-base", "--out", "report.json"], ["score", "--out", "scores.jsonl"]):
        command[-1] = str(tmp_path / command[-1])
        result = CliRunner().invoke(app, [command[0], *adapter_and_rows, *command[1:]])
        assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["adapter"]["base"] == "tiny-folder"
    assert report["pr_auc"] > 0.9
    refused = CliRunner().invoke(app, ["export", *adapter_and_rows])
    assert refused.exit_code == 1
    assert "the base is no GGUF" in refused.stderr


def test_the_named_base_comes_first_and_a_changed_one_is_not_taken(
    folder: Path, adapter: Path, tiny_base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_base_of(adapter, None, tmp_path).folder == folder
    assert open_base_of(adapter, str(tiny_base.gguf), tmp_path).gguf == tiny_base.gguf
    monkeypatch.setattr("finetune.base.packaged_gguf", lambda: tiny_base.gguf)
    moved = tmp_path / "adapter"
    shutil.copytree(adapter, moved, ignore=shutil.ignore_patterns("checkpoints"))
    for path, sha256 in ((str(folder), "0" * 64), (str(tmp_path / "gone"), weights_sha256(folder))):
        load_task(adapter).model_copy(update={"base_path": path, "base_sha256": sha256}).save(moved)
        assert open_base_of(moved, None, tmp_path).packaged


def test_the_hash_covers_every_file_of_weights(folder: Path, tmp_path: Path) -> None:
    assert weights_sha256(folder) == file_sha256(folder / "model.safetensors")
    sharded = tmp_path / "sharded"
    shutil.copytree(folder, sharded)
    weights = load_file(folder / "model.safetensors")
    (sharded / "model.safetensors").unlink()
    names = sorted(weights)
    for number, part in enumerate((names[:5], names[5:]), 1):
        save_file({name: weights[name] for name in part}, sharded / f"model-0000{number}-of-00002.safetensors")
    before = weights_sha256(sharded)
    last = sharded / "model-00002-of-00002.safetensors"
    save_file({name: weights[name] + 1 for name in names[5:]}, last)
    assert weights_sha256(sharded) != before


@pytest.mark.parametrize("config", ["gpt2", "none", "broken"])
def test_other_families_are_refused_by_name(config: str, tmp_path: Path) -> None:
    text = {"gpt2": json.dumps(GPT2Config().to_dict()), "none": "[]", "broken": "{"}[config]
    (tmp_path / "config.json").write_text(text)
    save_file({"weight": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(RecipeError, match=r"Llama-like .* llama, mistral, qwen2") as caught:
        open_base(str(tmp_path), tmp_path / "cache")
    assert caught.value.code == "unsupported_base"


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="neither a \\.gguf file"):
        open_base(str(tmp_path), tmp_path / "cache")


@pytest.mark.parametrize("config_type", CONFIGS)
def test_split_layers_of_every_supported_family_change_nothing(
    config_type: type[PretrainedConfig], tiny_base: Base
) -> None:
    torch.manual_seed(2)
    tokenizer = load_tokenizer(tiny_base)
    config = config_type(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=96, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=GROUPS, head_dim=WIDTH // HEADS, initializer_range=0.2,
        pad_token_id=2, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    assert config.model_type in FAMILIES
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").eval()
    encoded = encode(tokenizer, load_prompt(), ["120 EUR at night.", "9.99 USD, known merchant, Paris."], 512)
    with torch.no_grad():
        whole = token_inputs(encoded)
        expected = torch.stack(
            [model(input_ids=torch.tensor([encoded.prefix + row])).logits[0, -1] for row in encoded.rows]
        )
        torch.testing.assert_close(label_logits(model, whole, whole.batch([0, 1])), expected, atol=1e-3, rtol=1e-2)
        inputs = LowerLayers(model, 2).run(encoded)
        found = label_logits(model, inputs, inputs.batch([0, 1]))
    torch.testing.assert_close(found, expected, atol=2e-2, rtol=1e-2)


def test_every_supported_family_is_tested() -> None:
    assert {config.model_type for config in CONFIGS} == set(FAMILIES)
