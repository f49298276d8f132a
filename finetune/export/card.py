"""The model card beside an exported adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finetune.evaluation.page import metrics_table
from finetune.export.parity import Parity
from finetune.task import AdapterTask
from tools.fraud.manifest import AdapterManifest


def write_card(
    path: Path,
    task: AdapterTask,
    manifest: AdapterManifest,
    parity: Mapping[str, Parity],
    report: Mapping[str, Any] | None,
) -> None:
    """Write the card as Markdown; `report` is what `evaluate` wrote, where there is one."""
    calibration = task.calibration
    lines = [
        f"# {manifest.name}",
        "",
        f"A LoRA adapter of {manifest.base.name} for the task `{task.task}`: it answers with one of "
        f"{', '.join(task.words)}, and the label's probability is read from that one token.",
        "",
        f"- Base: `{manifest.base.name}`, SHA-256 `{manifest.base.sha256}`.",
        "- Licence: that of the base and of the rows.",
        f"- Adapter: `{manifest.adapter.name}` for llama.cpp, `adapter_model.safetensors` for PEFT and vLLM.",
        f"- Training rows: SHA-256 `{manifest.data_sha256}`.",
        f"- Probability: sigmoid((z + {calibration.bias:.4f}) / {calibration.temperature:.4f}), where z = "
        f"logp({task.words[0]}) - logp({task.words[1]}); {task.words[0]} from {task.threshold:.3f} on.",
        *(_parity_line(name, found) for name, found in parity.items()),
        "",
        f"Instruction: {task.instruction}",
        "",
        *_figures(task, report),
        "",
        "Use: a second opinion beside rules and people. It has learned the rows above and nothing else; a shift in the "
        "customers, the merchants or the share of fraud needs a new calibration. It does not explain its answer.",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _parity_line(name: str, parity: Parity) -> str:
    how = {"adapter": "as an adapter beside the base", "merged": "merged into it"}[name]
    return (
        f"- Parity with transformers on {parity.rows} rows, {how}: {parity.label_agreement:.1%} of the labels agree, "
        f"probabilities differ by {parity.median_difference:.4f} (median) and {parity.p95_difference:.4f} (95th "
        "percentile), tokens are equal."
    )


def _figures(task: AdapterTask, report: Mapping[str, Any] | None) -> list[str]:
    if report is None:
        return ["Measured on the calibration rows only; `evaluate` measures it on rows of their own.", "",
                *metrics_table({"adapter": task.metrics})]  # fmt: skip
    return [
        f"Measured on {report['n']} rows of their own:",
        "",
        *metrics_table({"adapter": report, **report["baselines"]}),
    ]
