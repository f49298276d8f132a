"""A language model of a few thousand weights, as GGUF and as a Hugging Face folder: everything runs in seconds."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gguf
import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

from finetune.base import Base, open_base
from finetune.evaluation.metrics import intervals
from finetune.evaluation.significance import paired_differences
from finetune.recipe import Recipe
from finetune.rows import read_rows
from finetune.training.prepare import Job
from finetune.training.run import train

RECIPE = Recipe(rank=4, alpha=8, epochs=3, batch_size=4, learning_rate=2e-2, first_layer=1, threads=1)
HEADS, GROUPS, LAYERS, WIDTH = 4, 2, 4, 64
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_TEXT = "You are a card fraud detection system. Read the transaction and answer with one word: amount of times usual."
_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([_TEXT] * 4, trainer)
    return tokenizer


def _rows_in_llama_order(name: str, weight: np.ndarray) -> np.ndarray:
    heads = {"attn_q": HEADS, "attn_k": GROUPS}.get(name)
    if heads is None:
        return weight
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def write_tiny_gguf(path: Path) -> None:
    """A random llama with a byte-level tokenizer and the ChatML template."""
    torch.manual_seed(1)
    tokenizer = _tokenizer()
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=WIDTH, intermediate_size=96, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=GROUPS, tie_word_embeddings=True, initializer_range=0.2,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_block_count(LAYERS)
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(96)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(GROUPS)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_types([3 if token in SPECIAL else 1 for token, _ in vocabulary])
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    for name, tensor in model.state_dict().items():
        weight: Any = tensor.float().numpy()
        if name == "model.embed_tokens.weight":
            writer.add_tensor("token_embd.weight", weight)
        elif name == "model.norm.weight":
            writer.add_tensor("output_norm.weight", weight)
        elif name.startswith("model.layers."):
            _, _, layer, module = name.removesuffix(".weight").split(".", 3)
            short = _NAMES[module]
            writer.add_tensor(f"blk.{layer}.{short}.weight", np.ascontiguousarray(_rows_in_llama_order(short, weight)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """The tiny model, opened as any GGUF base is."""
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_gguf(folder / "tiny.gguf")
    return open_base(str(folder / "tiny.gguf"), folder / "cache")


def write_rows(path: Path, rows: int = 80, seed: int = 0) -> Path:
    """Rows whose label can be read from one word, a quarter of them fraud."""
    random = np.random.default_rng(seed)
    lines: list[str] = []
    for number in range(rows):
        fraud = number % 4 == 0
        text = f"{random.integers(10, 999)} EUR, {'night' if fraud else 'noon'}, {random.integers(1, 99)} times."
        lines.append(json.dumps({"text": text, "label": int(fraud), "customer": f"C{number // 2}"}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighty rows."""
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl")


@pytest.fixture(scope="session")
def job(tiny_base: Base, rows_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A run over all rows."""
    out = tmp_path_factory.mktemp("adapter") / "run"
    return Job("fraud", read_rows(rows_file), None, tiny_base, RECIPE, out, tracking=out.parent / "mlruns")


@pytest.fixture(scope="session")
def trained(job: Job) -> Path:
    """The folder of that run's adapter."""
    return train(job).folder


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bootstrap intervals from 20 draws: a thousand take a minute, whatever the size of the data."""
    for module, name, function in (
        ("report", "intervals", intervals),
        ("significance", "paired_differences", paired_differences),
    ):
        monkeypatch.setattr(f"finetune.evaluation.{module}.{name}", partial(function, resamples=20))
