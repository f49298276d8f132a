"""The registry: exported adapters by state, and which one serves. Plain files; the pointer changes atomically."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from finetune.errors import PromotionError
from tools.fraud.adapters import POINTER_NAME, AdapterState, RegistryEntry, adapter_folder, read_registry, registry_json
from tools.fraud.manifest import MANIFEST_NAME, AdapterManifest, file_sha256

REPORT = "report.json"
TRACKED = ("accuracy", "precision", "recall", "mcc", "roc_auc", "pr_auc")
LOWER_IS_BETTER = ("ece", "brier")


class Registry:
    """Adapters of one folder: `<folder>/<name>/` with their files, and `registry.json` with their states."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def entries(self) -> list[RegistryEntry]:
        """All adapters, oldest first."""
        return read_registry(self._folder)

    def production(self, task: str) -> RegistryEntry | None:
        """The adapter that serves a task."""
        return next((entry for entry in self.entries() if entry.task == task and entry.state == "production"), None)

    def folder(self, name: str) -> Path:
        """Where an adapter's files lie."""
        return adapter_folder(self._folder, name)

    def add(self, exported: Path, report: Mapping[str, Any]) -> RegistryEntry:
        """Take an exported adapter in as a candidate. Raises PromotionError when its file is not its manifest's."""
        manifest = read_manifest(exported)
        target = self.folder(manifest.name)
        if not target.is_dir():
            partial = self._folder / f".{target.name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(exported, partial)
            partial.rename(target)
        (target / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        others = [entry for entry in self.entries() if entry.name != manifest.name]
        entry = RegistryEntry(manifest.name, manifest.task, "candidate", _now())
        self._write([*others, entry])
        return entry

    def report(self, name: str) -> dict[str, Any] | None:
        """The report that an adapter came with."""
        path = self.folder(name) / REPORT
        return json.loads(path.read_text("utf-8")) if path.is_file() else None

    def move(self, wanted: str, state: AdapterState, report: Path | None) -> RegistryEntry:
        """Move an adapter, by name or by the folder of an exported one, which is registered first.

        Raises PromotionError as `add` and `promote` do, and when a new adapter has no readable report.
        """
        name = wanted
        if Path(wanted).is_dir():
            name = self.add(Path(wanted), _read_report(report)).name
        if state == "production":
            return self.promote(name)
        return self.archive(name) if state == "archived" else self._find(name)

    def promote(self, name: str, *, gate: bool = True) -> RegistryEntry:
        """Make an adapter serve its task; the one before it is archived.

        Raises PromotionError for an unknown or damaged adapter and, with `gate`, for one that is worse beyond the
        interval on a tracked metric.
        """
        chosen = self._find(name)
        read_manifest(self.folder(name))
        current = self.production(chosen.task)
        if gate and current is not None and current.name != name:
            self._check(name, current.name)
        now = _now()
        changed = [
            RegistryEntry(entry.name, entry.task, "archived", now)
            if entry.task == chosen.task and entry.state == "production" and entry.name != name
            else entry
            for entry in self.entries()
            if entry.name != name
        ]
        promoted = RegistryEntry(name, chosen.task, "production", now)
        self._write([*changed, promoted])
        return promoted

    def archive(self, name: str) -> RegistryEntry:
        """Take an adapter out of use."""
        chosen = self._find(name)
        entry = RegistryEntry(name, chosen.task, "archived", _now())
        self._write([*(other for other in self.entries() if other.name != name), entry])
        return entry

    def rollback(self, task: str) -> RegistryEntry:
        """Make the adapter that served before serve again. Raises PromotionError when there is none."""
        archived = [entry for entry in self.entries() if entry.task == task and entry.state == "archived"]
        if not archived:
            raise PromotionError(f"No earlier adapter of {task!r} is archived.")
        return self.promote(max(archived, key=lambda entry: entry.since).name, gate=False)

    def _check(self, name: str, current: str) -> None:
        new, old = self.report(name), self.report(current)
        if new is None or old is None:
            raise PromotionError(f"{name if new is None else current} has no report to compare: run evaluate.")
        if worse := worse_metrics(new, old):
            raise PromotionError(f"{name} is worse than {current}: {'; '.join(worse)}.", metrics=worse)

    def _find(self, name: str) -> RegistryEntry:
        for entry in self.entries():
            if entry.name == name:
                return entry
        known = ", ".join(entry.name for entry in self.entries()) or "none"
        raise PromotionError(f"The registry has no adapter {name!r}; it has {known}.")

    def _write(self, entries: Sequence[RegistryEntry]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f".{POINTER_NAME}.{os.getpid()}"
        partial.write_text(registry_json(entries), encoding="utf-8")
        partial.replace(self._folder / POINTER_NAME)


def worse_metrics(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """The tracked metrics in which `new` lies outside `old`'s 95% interval on the bad side.

    Raises PromotionError when the reports are about different rows.
    """
    if new["adapter"]["data_sha256"] != old["adapter"]["data_sha256"]:
        raise PromotionError("The two reports are about different rows: evaluate both adapters on the same file.")
    worse: list[str] = []
    for name in (*TRACKED, *LOWER_IS_BETTER):
        value, interval = new.get(name), old["intervals"].get(name)
        if value is None or interval is None:
            continue
        low, high = interval
        if (value > high) if name in LOWER_IS_BETTER else (value < low):
            worse.append(f"{name} {value:.3f} against {old[name]:.3f} ({low:.3f} to {high:.3f})")
    return worse


def read_manifest(folder: Path) -> AdapterManifest:
    """The manifest of an exported adapter whose file has the hash that it states; raises PromotionError otherwise."""
    try:
        manifest = AdapterManifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())
        found = file_sha256(folder / manifest.adapter.name)
    except (OSError, ValueError) as error:
        raise PromotionError(f"{folder} is no exported adapter: run export first.") from error
    if found != manifest.adapter.sha256:
        raise PromotionError(f"{manifest.adapter.name} in {folder} is not the file that its manifest names.")
    return manifest


def _read_report(path: Path | None) -> dict[str, Any]:
    if path is None:
        raise PromotionError("A new adapter needs the report of `evaluate`: --report report.json.")
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return {key: value for key, value in found.items() if key != "rows"}
    except (OSError, ValueError, AttributeError) as error:
        raise PromotionError(f"{path} is no report of `evaluate`.") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
