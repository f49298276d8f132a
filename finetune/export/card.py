"""The model card beside an exported adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.models.files import LANGUAGE_MODEL
from finetune.evaluation.page import metrics_table
from finetune.export.parity import Parity
from tools.fraud.manifest import AdapterManifest

CARD_NAME = "README.md"
USERS_ROWS = "are those of whoever trained it"
OUR_ROWS = "are this project's own: simulated by `python -m finetune prepare`, no real person's"
_FILES = {
    "adapter.gguf": "for llama.cpp, beside the base",
    "merged.gguf": "for llama.cpp, base and adapter in one",
    "adapter_model.safetensors": "for PEFT and vLLM, with `adapter_config.json`",
}


def write_card(
    folder: Path,
    manifest: AdapterManifest,
    instruction: str,
    parity: Mapping[str, Parity],
    report: Mapping[str, Any] | None,
    *,
    rows: str = USERS_ROWS,
) -> None:
    """Write the card as Markdown, about the files that lie in the folder.

    `report` is what `evaluate` wrote, where there is one; without, the manifest's metrics are the calibration rows'.
    `rows` says whose rows the adapter learned.
    """
    calibration, words = manifest.calibration, manifest.labels
    lines = [
        f"# {manifest.name}",
        "",
        f"A LoRA adapter of {manifest.base.name} for the task `{manifest.task}`: it answers with one of "
        f"{', '.join(words)}, and the label's probability is read from that one token.",
        "",
        f"- Base: `{manifest.base.name}`, SHA-256 `{manifest.base.sha256}`.",
        f"- Licence: {_licence(manifest)} The training rows are no part of it; they {rows}.",
        *(f"- `{name}`: {use}." for name, use in _FILES.items() if (folder / name).is_file()),
        f"- Training rows: SHA-256 `{manifest.data_sha256}`.",
        f"- Probability: sigmoid((z + {calibration.bias:.4f}) / {calibration.temperature:.4f}), where z = "
        f"logp({words[0]}) - logp({words[1]}); {words[0]} from {manifest.threshold:.3f} on.",
        *(_parity_line(name, found) for name, found in parity.items()),
        "",
        f"Instruction: {instruction}",
        "",
        *_figures(manifest, report),
        "",
        "Use: a second opinion beside rules and people. It has learned the rows above and nothing else; a shift in the "
        "customers, the merchants or the share of fraud needs a new calibration. It does not explain its answer.",
    ]
    (folder / CARD_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _licence(manifest: AdapterManifest) -> str:
    if manifest.base.sha256 == LANGUAGE_MODEL.sha256:
        return "Apache-2.0, that of the base SmolLM2-135M-Instruct."
    return f"that of the base {manifest.base.name}; look it up before you pass the adapter on."


def _parity_line(name: str, parity: Parity) -> str:
    how = {"adapter": "as an adapter beside the base", "merged": "merged into it"}[name]
    few = f", fewer than the {parity.wanted_rows} that the check is made for" if parity.few else ""
    return (
        f"- Parity with transformers on {parity.rows} rows{few}, {how}: {parity.label_agreement:.1%} of the labels "
        f"agree, probabilities differ by {parity.median_difference:.4f} (median) and {parity.p95_difference:.4f} (95th "
        "percentile), tokens are equal."
    )


def _figures(manifest: AdapterManifest, report: Mapping[str, Any] | None) -> list[str]:
    if report is None:
        return ["Measured on the calibration rows only; `evaluate` measures it on rows of their own.", "",
                *metrics_table({"adapter": manifest.metrics})]  # fmt: skip
    return [
        f"Measured on {report['n']} rows of their own:",
        "",
        *metrics_table({"adapter": report, **report["baselines"]}),
    ]
