from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from agent.models.gguf_merged import write_merged_gguf
from finetune.base import Base, load_model
from finetune.errors import ExportError, ReportError
from finetune.evaluation.page import METRICS
from finetune.export.gguf_lora import permute, reasons_against, scale, write_gguf_lora
from finetune.export.package import export
from finetune.export.parity import Served, check_parity, sample
from finetune.export.ship import ship
from finetune.registry import read_manifest
from finetune.rows import Row
from finetune.task import load_task
from finetune.training.adapter import CONFIG_NAME, WEIGHTS_NAME, merged
from tests.finetune.conftest import GROUPS, HEADS
from tests.finetune.reports import measured
from tools.files import file_sha256
from tools.fraud.errors import AdapterError
from tools.fraud.manifest import changed_files, load_manifest
from tools.fraud.prompt import load_prompt

TEXTS = [f"{amount} EUR, {place}, {amount % 7} times." for amount in range(10, 40) for place in ("noon", "night")]
ROWS = [Row(text, str(number % 2), number + 1) for number, text in enumerate(TEXTS)]
Weights = dict[str, NDArray[np.float32]]


def report_of(adapter: Path) -> dict[str, Any]:
    measured_again = measured(0.9, weights=file_sha256(adapter / WEIGHTS_NAME))
    return {"n": 40, "baselines": {}, **dict.fromkeys(METRICS), **measured_again}


def unchanged(weights: Weights, config: dict[str, Any]) -> None:
    pass


def as_rslora(weights: Weights, config: dict[str, Any]) -> None:
    """The same adapter with the other scale."""
    config["use_rslora"] = True
    for name in weights:
        if "lora_B" in name:
            weights[name] = weights[name] / math.sqrt(config["r"])


def with_patterns(weights: Weights, config: dict[str, Any]) -> None:
    """The same adapter with another alpha for queries, and another rank for values."""
    config["alpha_pattern"] = {"q_proj": 2 * config["lora_alpha"]}
    config["rank_pattern"] = {"v_proj": 2 * config["r"]}
    for name, tensor in weights.items():
        if "q_proj.lora_B" in name:
            weights[name] = tensor / 2
        elif "v_proj.lora_A" in name:
            weights[name] = np.pad(tensor, ((0, config["r"]), (0, 0)))
        elif "v_proj.lora_B" in name:
            weights[name] = np.pad(2 * tensor, ((0, 0), (0, config["r"])))


def with_strong_attention(weights: Weights, config: dict[str, Any]) -> None:
    """An adapter of queries and keys that matters."""
    for name, tensor in weights.items():
        if "q_proj.lora_B" in name or "k_proj.lora_B" in name:
            weights[name] = 20 * tensor


def variant(trained: Path, target: Path, change: Callable[[Weights, dict[str, Any]], None] = unchanged) -> Path:
    shutil.copytree(trained, target, ignore=shutil.ignore_patterns("checkpoints"))
    weights = load_file(target / WEIGHTS_NAME)
    config = json.loads((target / CONFIG_NAME).read_text())
    change(weights, config)
    save_file(weights, target / WEIGHTS_NAME)
    (target / CONFIG_NAME).write_text(json.dumps(config))
    return target


@pytest.mark.parametrize("change", [unchanged, as_rslora, with_patterns, with_strong_attention])
def test_llama_cpp_answers_as_transformers(
    tiny_base: Base, trained: Path, tmp_path: Path, change: Callable[[Weights, dict[str, Any]], None]
) -> None:
    adapter = variant(trained, tmp_path / "a", change)
    assert tiny_base.gguf
    write_gguf_lora(adapter, tiny_base.gguf, tmp_path / "a.gguf")
    served = {"adapter": Served(tiny_base.gguf, tmp_path / "a.gguf")}
    parity = check_parity(adapter, served, load_task(adapter), tiny_base, TEXTS)["adapter"]
    assert (parity.rows, parity.different_tokens, parity.floored) == (len(TEXTS), 0, 0)
    assert parity.median_difference < 0.01


def test_a_missing_permutation_is_caught(
    tiny_base: Base, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = variant(trained, tmp_path / "a", with_strong_attention)
    assert tiny_base.gguf
    monkeypatch.setattr("finetune.export.gguf_lora.permute", lambda rows, heads: rows)
    write_gguf_lora(adapter, tiny_base.gguf, tmp_path / "a.gguf")
    served = {"adapter": Served(tiny_base.gguf, tmp_path / "a.gguf")}
    with pytest.raises(ExportError):
        check_parity(adapter, served, load_task(adapter), tiny_base, TEXTS)


def test_an_export_is_what_serving_loads(tiny_base: Base, trained: Path, tmp_path: Path) -> None:
    adapter = variant(trained, tmp_path / "a")
    exported = export(adapter, tiny_base, ROWS, tmp_path / "out")
    manifest = load_manifest(tmp_path / "out", tiny_base.sha256, load_prompt())
    assert manifest == exported.manifest
    assert manifest.name == f"fraud@{manifest.adapter.sha256[:8]}"
    parity = json.loads((tmp_path / "out" / "parity.json").read_text())
    assert {name: found["rows"] for name, found in parity.items()} == {"adapter": len(TEXTS), "merged": len(TEXTS)}
    assert {found["wanted_rows"] for found in parity.values()} == {200}
    assert not (tmp_path / "out" / "merged.gguf").exists()
    assert manifest.weights_sha256 == file_sha256(adapter / WEIGHTS_NAME)
    assert manifest.files.keys() == {path.name for path in (tmp_path / "out").iterdir()} - {"manifest.json"}
    assert {"adapter.gguf", WEIGHTS_NAME, CONFIG_NAME, "task.json"} <= manifest.files.keys()
    assert changed_files(tmp_path / "out", manifest) == []
    (tmp_path / "out" / WEIGHTS_NAME).write_bytes(b"others")
    assert changed_files(tmp_path / "out", manifest) == [WEIGHTS_NAME]


def test_the_card_names_what_lies_beside_it(tiny_base: Base, trained: Path, tmp_path: Path) -> None:
    adapter = variant(trained, tmp_path / "a")
    exported = export(adapter, tiny_base, ROWS, tmp_path / "out", report_of(adapter))
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"on {len(TEXTS)} rows, fewer than the 200" in card
    assert "that of the base tiny.gguf" in card
    assert "those of whoever trained it" in card
    assert "`adapter_model.safetensors`" in card
    assert "merged.gguf" not in card
    assert "rows" not in json.loads((tmp_path / "out" / "report.json").read_text())
    assert exported.manifest.metrics["pr_auc"] == 0.9
    report = tmp_path / "measured.json"
    report.write_text(json.dumps(report_of(adapter)))
    shipped = ship(tmp_path / "out", report, tmp_path / "shipped")
    card = (tmp_path / "shipped" / "README.md").read_text()
    assert "safetensors" not in card
    assert "this project's own" in card
    assert shipped.name == exported.manifest.name
    assert {path.name for path in (tmp_path / "shipped").iterdir()} == {
        *("README.md", "adapter.gguf", "manifest.json", "parity.json", "report.json")
    }
    assert read_manifest(tmp_path / "shipped") == shipped


def test_a_report_of_another_adapter_is_refused_before_anything_is_computed(
    tiny_base: Base, trained: Path, tmp_path: Path
) -> None:
    adapter = variant(trained, tmp_path / "a")
    report = report_of(adapter)
    report["adapter"]["weights_sha256"] = "0" * 64
    with pytest.raises(ReportError, match="another adapter"):
        export(adapter, tiny_base, ROWS, tmp_path / "out", report)
    assert not (tmp_path / "out").exists()


def test_parity_takes_two_hundred_rows_from_all_over_the_file() -> None:
    texts = [str(number) for number in range(1000)]
    drawn = [int(text) for text in sample(texts)]
    assert drawn == [int(text) for text in sample(texts)] == sorted(set(drawn))
    assert (len(drawn), drawn[0] < 50, drawn[-1] > 950) == (200, True, True)
    assert sample(texts[:30]) == texts[:30]
    with pytest.raises(ExportError, match="at least 20, --data has 19"):
        sample(texts[:19])


def test_a_merged_file_answers_as_base_and_adapter_do(tiny_base: Base, trained: Path, tmp_path: Path) -> None:
    adapter = variant(trained, tmp_path / "a")
    exported = export(adapter, tiny_base, ROWS, tmp_path / "out", merged=True)
    file = exported.folder / "merged.gguf"
    parity = exported.parity["merged"]
    assert parity.different_tokens == 0
    assert parity.median_difference < 0.02
    assert tiny_base.gguf
    before, after = gguf.GGUFReader(tiny_base.gguf), gguf.GGUFReader(file)
    assert [tensor.name for tensor in after.tensors] == [tensor.name for tensor in before.tensors]
    fields = {name: field.contents() for name, field in before.fields.items() if not name.startswith("GGUF.")}
    assert {name: after.fields[name].contents() for name in fields} == fields


def test_merged_weights_are_those_of_peft(tiny_base: Base, trained: Path, tmp_path: Path) -> None:
    adapter = variant(trained, tmp_path / "a", with_strong_attention)
    assert tiny_base.gguf
    write_gguf_lora(adapter, tiny_base.gguf, tmp_path / "a.gguf")
    write_merged_gguf(tiny_base.gguf, tmp_path / "a.gguf", tmp_path / "m.gguf")
    model = merged(load_model(tiny_base), adapter)
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(tmp_path / "m.gguf").tensors}
    for module, short, heads in (("q_proj", "attn_q", HEADS), ("k_proj", "attn_k", GROUPS)):
        expected = permute(model.get_submodule(f"model.layers.3.self_attn.{module}").weight.detach().numpy(), heads)
        tensor = tensors[f"blk.3.{short}.weight"]
        written = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        assert np.abs(written - expected).max() < np.abs(expected).max() / 100


def test_an_adapter_of_another_base_is_not_merged(tiny_base: Base, tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", "llama")
    writer.add_float32("adapter.lora.alpha", 2.0)
    for side in "ab":
        writer.add_tensor(f"blk.99.attn_q.weight.lora_{side}", np.ones((2, 2), np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert tiny_base.gguf
    with pytest.raises(AdapterError, match="no weight blk"):
        write_merged_gguf(tiny_base.gguf, tmp_path / "a.gguf", tmp_path / "m.gguf")


def test_a_refused_export_leaves_the_old_one(
    tiny_base: Base, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = variant(trained, tmp_path / "a")
    export(adapter, tiny_base, ROWS, tmp_path / "out")
    before = (tmp_path / "out" / "adapter.gguf").read_bytes()
    monkeypatch.setattr("finetune.export.parity.MAX_MEDIAN_DIFFERENCE", -1.0)
    with pytest.raises(ExportError, match="differ by"):
        export(adapter, tiny_base, ROWS, tmp_path / "out")
    assert (tmp_path / "out" / "adapter.gguf").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "out"]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "biases"),
        ({"peft_type": "IA3"}, "no LoRA"),
        ({"lora_bias": True}, "LoRA bias"),
    ],
)
def test_what_cannot_be_served_is_refused(config: dict[str, Any], reason: str) -> None:
    assert any(reason in found for found in reasons_against({"lora_alpha": 8, **config}))


def test_tensors_beside_a_plain_adapter_are_refused(tiny_base: Base, trained: Path, tmp_path: Path) -> None:
    adapter = variant(trained, tmp_path / "a")
    weights = load_file(adapter / "adapter_model.safetensors")
    save_file(
        {**weights, "base_model.model.lm_head.weight": np.zeros(3, np.float32)}, adapter / "adapter_model.safetensors"
    )
    assert tiny_base.gguf
    with pytest.raises(ExportError, match=r"lm_head\.weight is no part"):
        write_gguf_lora(adapter, tiny_base.gguf, tmp_path / "a.gguf")


def test_an_adapter_of_another_base_is_refused(tiny_base: Base, trained: Path, tmp_path: Path) -> None:
    adapter = variant(trained, tmp_path / "a")
    weights = load_file(adapter / "adapter_model.safetensors")
    wider = {name: np.pad(tensor, ((0, 0), (0, 2))) if "lora_A" in name else tensor for name, tensor in weights.items()}
    save_file(wider, adapter / "adapter_model.safetensors")
    assert tiny_base.gguf
    with pytest.raises(ExportError, match="no weight for"):
        write_gguf_lora(adapter, tiny_base.gguf, tmp_path / "a.gguf")


def test_written_tensors(tiny_base: Base, trained: Path, tmp_path: Path) -> None:
    adapter = variant(trained, tmp_path / "a", as_rslora)
    assert tiny_base.gguf
    write_gguf_lora(adapter, tiny_base.gguf, tmp_path / "a.gguf")
    reader = gguf.GGUFReader(tmp_path / "a.gguf")
    alpha = reader.get_field("adapter.lora.alpha")
    assert alpha is not None
    assert alpha.contents() == 4.0
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    weights = load_file(adapter / "adapter_model.safetensors")
    b = weights["base_model.model.model.layers.2.self_attn.v_proj.lora_B.weight"]
    np.testing.assert_allclose(tensors["blk.2.attn_v.weight.lora_b"].data, b * 8 / math.sqrt(4), rtol=1e-2, atol=1e-6)


def test_permuting_rows_of_b_permutes_the_product() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(3, 10)).astype(np.float32), random.normal(size=(16, 3)).astype(np.float32)
    np.testing.assert_allclose(permute(b, 2) @ a, permute(b @ a, 2), rtol=1e-5)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"lora_alpha": 16}, 2.0),
        ({"lora_alpha": 16, "use_rslora": True}, 16 / 8**0.5),
        ({"lora_alpha": 16, "alpha_pattern": {"q_proj": 4}}, 0.5),
        ({"lora_alpha": 16, "alpha_pattern": {"k_proj": 4}}, 2.0),
    ],
)
def test_scales_follow_peft(config: dict[str, Any], expected: float) -> None:
    assert scale(config, "model.layers.0.self_attn.q_proj", 8) == pytest.approx(expected)
