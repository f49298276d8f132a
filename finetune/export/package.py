"""`export`: an adapter as a folder that serving loads, with a manifest, a card, and proof that it answers the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.models.gguf_merged import write_merged_gguf
from finetune.base import Base
from finetune.errors import ExportError
from finetune.export.card import write_card
from finetune.export.gguf_lora import write_gguf_lora
from finetune.export.parity import Parity, Served, check_parity
from finetune.gate import REPORT_NAME, report_json, require_report_of
from finetune.rows import Row
from finetune.task import TASK_NAME, AdapterTask, load_task
from finetune.training.adapter import CONFIG_NAME, WEIGHTS_NAME
from tools.files import file_sha256
from tools.fraud.errors import AdapterError
from tools.fraud.manifest import MANIFEST_NAME, AdapterManifest, WeightsFile
from tools.fraud.narrative import NARRATIVE_VERSION

GGUF_NAME = "adapter.gguf"
MERGED_NAME = "merged.gguf"
PARITY_NAME = "parity.json"
_SOURCES = (CONFIG_NAME, WEIGHTS_NAME, TASK_NAME)
_OPTIONAL = ("training.json", "curves.png")


@dataclass(frozen=True)
class Exported:
    """A finished export."""

    folder: Path
    manifest: AdapterManifest
    parity: dict[str, Parity]


def export(
    adapter: Path,
    base: Base,
    rows: Sequence[Row],
    out: Path,
    report: Mapping[str, Any] | None = None,
    threads: int = 1,
    *,
    merged: bool = False,
) -> Exported:
    """Write safetensors, GGUF, manifest, parity and card to `out`; `rows` are what parity is checked on.

    `report` (of `evaluate`) gives the manifest its metrics and is kept without its rows. Both ways of serving pass the
    gate: the adapter beside its base, and both merged into one file, which `merged` keeps for servers that load no
    adapters. Raises ReportError when the report is another adapter's, ExportError with the reasons when llama.cpp
    cannot serve the adapter or does not answer as transformers does; `out` then stays as it was.
    """
    task = load_task(adapter)
    if report is not None:
        require_report_of(file_sha256(adapter / WEIGHTS_NAME), report)
    if base.gguf is None:
        raise ExportError(["the base is no GGUF, so llama.cpp cannot serve it; vLLM serves the folder as it is"])
    if not task.labels.binary:
        raise ExportError([f"serving decides between two labels, the adapter has {len(task.classes)}"])
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        write_gguf_lora(adapter, base.gguf, partial / GGUF_NAME)
        _merge(base.gguf, partial)
        texts = [row.text for row in rows]
        served = {"adapter": Served(base.gguf, partial / GGUF_NAME), "merged": Served(partial / MERGED_NAME)}
        parity = check_parity(adapter, served, task, base, texts, threads)
        if not merged:
            (partial / MERGED_NAME).unlink()
        _copy(adapter, partial)
        _write_json(partial / PARITY_NAME, {name: found.to_dict() for name, found in parity.items()})
        manifest = _manifest(task, base, partial, report)
        write_card(partial, manifest, task.instruction, parity, report)
        manifest = write_manifest(partial, manifest)
        if report is not None:
            (partial / REPORT_NAME).write_text(report_json(report), encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Exported(out, manifest, parity)


def write_manifest(folder: Path, manifest: AdapterManifest) -> AdapterManifest:
    """Write the manifest with the hashes of all files that lie in the folder; return it.

    The report is written after it: a later one, about other rows, may take its place.
    """
    files = {path.name: file_sha256(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST_NAME}
    complete = manifest.model_copy(update={"files": files})
    _write_json(folder / MANIFEST_NAME, complete.model_dump(mode="json"))
    return complete


def _merge(base: Path, folder: Path) -> None:
    try:
        write_merged_gguf(base, folder / GGUF_NAME, folder / MERGED_NAME)
    except AdapterError as error:
        raise ExportError([error.message.rstrip(".")]) from error


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _copy(adapter: Path, target: Path) -> None:
    for name in _SOURCES:
        shutil.copyfile(adapter / name, target / name)
    for name in _OPTIONAL:
        if (adapter / name).is_file():
            shutil.copyfile(adapter / name, target / name)


def _manifest(task: AdapterTask, base: Base, folder: Path, report: Mapping[str, Any] | None) -> AdapterManifest:
    sha256 = file_sha256(folder / GGUF_NAME)
    measured = task.metrics if report is None else {name: report.get(name) for name in task.metrics}
    return AdapterManifest(
        # The hash in the name: a server that reloads another adapter under the same name may serve stale caches.
        name=f"{task.task}@{sha256[:8]}",
        task=task.task,
        base=WeightsFile(name=base.gguf.name if base.gguf else base.name, sha256=base.sha256),
        adapter=WeightsFile(name=GGUF_NAME, sha256=sha256),
        weights_sha256=file_sha256(folder / WEIGHTS_NAME),
        prompt_version=task.prompt_version,
        prompt_sha256=task.prompt.sha256,
        narrative_version=NARRATIVE_VERSION,
        labels=task.words,
        levels=task.levels,
        calibration=task.calibration,
        threshold=task.threshold,
        data_sha256=task.data_sha256,
        metrics=measured,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
