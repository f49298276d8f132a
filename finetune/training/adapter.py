"""Adapters of the upper layers only, as PEFT saves and loads them for the whole model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from finetune.recipe import Recipe

WEIGHTS_NAME = "adapter_model.safetensors"
CONFIG_NAME = "adapter_config.json"
_LAYER = re.compile(r"\.layers\.(\d+)\.")


def add_adapter(model: Any, recipe: Recipe) -> Any:
    """The model with a fresh LoRA adapter on every linear layer but the output's."""
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.rank,
        lora_alpha=int(recipe.alpha),
        lora_dropout=recipe.dropout,
        use_rslora=recipe.rslora,
        target_modules=linear_modules(model),
    )
    return get_peft_model(model, config)


def linear_modules(model: Any) -> list[str]:
    """Last names of the linear modules in the decoder's layers, e.g. `q_proj`.

    Not PEFT's `all-linear`: of a small model it keeps full names, which other layer numbers do not match.
    """
    layers = model.model.layers
    return sorted({name.rpartition(".")[2] for name, part in layers.named_modules() if isinstance(part, nn.Linear)})


def save_adapter(source: Path, target: Path, first_layer: int, layers: int) -> None:
    """Copy an adapter that was trained on the layers from `first_layer` on, numbered as in the whole model."""
    save_weights(load_file(source / WEIGHTS_NAME), target, first_layer)
    config = json.loads((source / CONFIG_NAME).read_text("utf-8"))
    if first_layer:
        config["layers_to_transform"] = list(range(first_layer, layers))
    (target / CONFIG_NAME).write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def save_weights(weights: dict[str, Tensor], target: Path, first_layer: int) -> None:
    """Write adapter weights with the layers' numbers raised by `first_layer`."""
    renamed = {
        _LAYER.sub(lambda found: f".layers.{int(found[1]) + first_layer}.", name): tensor.contiguous()
        for name, tensor in weights.items()
    }
    target.mkdir(parents=True, exist_ok=True)
    save_file(renamed, target / WEIGHTS_NAME)


def merged(model: Any, folder: Path) -> Any:
    """The model with an adapter's weights added to its own: fastest to score with."""
    return PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
