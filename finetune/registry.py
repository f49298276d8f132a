"""The registry: exported adapters by state, and which one serves. Plain files; the pointer changes atomically."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from finetune.errors import PromotionError
from finetune.gate import REPORT_NAME, read_report, report_json, require_report_of, same_rows, worse_metrics
from tools.fraud.adapters import (
    POINTER_NAME,
    AdapterState,
    RegistryEntry,
    adapter_folder,
    packaged_adapter,
    read_registry,
    registry_json,
)
from tools.fraud.manifest import MANIFEST_NAME, AdapterManifest, changed_files


class Registry:
    """Adapters of one folder: `<folder>/<name>/` with their files, and `registry.json` with their states.

    While none of a task is in production, the adapter that comes with the project serves it, if there is one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def entries(self) -> list[RegistryEntry]:
        """All adapters, oldest first."""
        return read_registry(self._folder)

    def production(self, task: str) -> RegistryEntry | None:
        """The adapter of the registry that serves a task."""
        return next((entry for entry in self.entries() if entry.task == task and entry.state == "production"), None)

    def serving(self, task: str) -> str | None:
        """The name of the adapter that serves a task: the registry's or the packaged one; None for the bare base."""
        found = self._serving(task)
        return None if found is None else found[0]

    def folder(self, name: str) -> Path:
        """Where an adapter's files lie."""
        return adapter_folder(self._folder, name)

    def add(self, exported: Path, report: Mapping[str, Any]) -> RegistryEntry:
        """Take an exported adapter in as a candidate; one that is known keeps its state and gets the report.

        Raises PromotionError when a file is not its manifest's, ReportError for a report of another adapter.
        """
        manifest = read_manifest(exported)
        target = self.folder(manifest.name)
        if target.is_dir():
            manifest = read_manifest(target)
        require_report_of(manifest.weights_sha256, report)
        if not target.is_dir():
            partial = self._folder / f".{target.name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(exported, partial)
            partial.rename(target)
        (target / REPORT_NAME).write_text(report_json(report), encoding="utf-8")
        known = next((entry for entry in self.entries() if entry.name == manifest.name), None)
        return known or self._set(RegistryEntry(manifest.name, manifest.task, "candidate", _now()))

    def move(self, wanted: str, state: AdapterState, report: Path | None, *, own_rows: bool = False) -> RegistryEntry:
        """Move an adapter, by name or by the folder of an exported one, which is registered first.

        Raises PromotionError and ReportError as `add`, `promote` and `reconsider` do, and PromotionError when a new
        adapter has no report.
        """
        name = wanted
        if Path(wanted).is_dir():
            name = self.add(Path(wanted), _report_for(Path(wanted), report)).name
        if state == "production":
            return self.promote(name, own_rows=own_rows)
        return self.archive(name) if state == "archived" else self.reconsider(name)

    def promote(self, name: str, *, gate: bool = True, own_rows: bool = False) -> RegistryEntry:
        """Make an adapter serve its task; the one before it is archived.

        Raises PromotionError for an unknown or damaged adapter and, with `gate`, for one that is worse beyond the
        interval on a tracked metric than the one that serves. With `own_rows` the packaged adapter, which was measured
        on the project's rows, may be replaced by one that was measured on others.
        """
        chosen = self._find(name)
        manifest = read_manifest(self.folder(name))
        if chosen.state == "production":
            return chosen
        if gate:
            self._check(manifest, own_rows=own_rows)
        now = _now()
        entries = [
            replace(entry, state="archived", since=now)
            if entry.task == chosen.task and entry.state == "production"
            else entry
            for entry in self.entries()
            if entry.name != name
        ]
        promoted = replace(chosen, state="production", since=now, served=True)
        self._write([*entries, promoted])
        return promoted

    def archive(self, name: str) -> RegistryEntry:
        """Take an adapter out of use. After the one in production, the packaged adapter serves, or the bare base."""
        chosen = self._find(name)
        return chosen if chosen.state == "archived" else self._set(replace(chosen, state="archived", since=_now()))

    def reconsider(self, name: str) -> RegistryEntry:
        """Make an archived adapter a candidate again. Raises PromotionError for the one in production."""
        chosen = self._find(name)
        if chosen.state == "production":
            raise PromotionError(
                f"{name} serves {chosen.task!r}. Promote another one, roll back (--rollback {chosen.task}) or archive "
                "it (--to archived) first."
            )
        return chosen if chosen.state == "candidate" else self._set(replace(chosen, state="candidate", since=_now()))

    def rollback(self, task: str) -> str:
        """Make the adapter that served before serve again, without a gate, and return its name.

        That is the archived one that served last or, where none served since the packaged one did, the packaged one.
        Raises PromotionError when there is neither.
        """
        current, packaged = self.production(task), packaged_adapter(task)
        served = [
            entry for entry in self.entries() if entry.task == task and entry.state == "archived" and entry.served
        ]
        last = max(served, key=lambda entry: entry.since, default=None)
        # An adapter is archived at the very time at which the next one serves; one archived earlier did not precede it.
        if last is not None and (packaged is None or current is None or last.since >= current.since):
            return self.promote(last.name, gate=False).name
        if packaged is None or current is None:
            raise PromotionError(f"No other adapter of {task!r} has served.")
        before = read_manifest(packaged).name
        self.archive(current.name)
        return before

    def _serving(self, task: str) -> tuple[str, Path] | None:
        """Name and folder of what serves a task."""
        if current := self.production(task):
            return current.name, self.folder(current.name)
        packaged = packaged_adapter(task)
        return None if packaged is None else (read_manifest(packaged).name, packaged)

    def _check(self, manifest: AdapterManifest, *, own_rows: bool) -> None:
        serving = self._serving(manifest.task)
        if serving is None:
            return
        current, folder = serving
        new, old = _report_in(self.folder(manifest.name)), _report_in(folder)
        require_report_of(manifest.weights_sha256, new)
        if folder == packaged_adapter(manifest.task) and not same_rows(new, old):
            if own_rows:
                return
            raise PromotionError(
                f"The packaged adapter {current} serves, and its report is about other rows than yours. Evaluate on "
                "the test rows of `prepare`, or promote with --own-rows if that adapter is not for your data."
            )
        if worse := worse_metrics(new, old):
            raise PromotionError(f"{manifest.name} is worse than {current}: {'; '.join(worse)}.", metrics=worse)

    def _find(self, name: str) -> RegistryEntry:
        for entry in self.entries():
            if entry.name == name:
                return entry
        known = ", ".join(entry.name for entry in self.entries()) or "none"
        raise PromotionError(f"The registry has no adapter {name!r}; it has {known}.")

    def _set(self, changed: RegistryEntry) -> RegistryEntry:
        self._write([*(entry for entry in self.entries() if entry.name != changed.name), changed])
        return changed

    def _write(self, entries: Sequence[RegistryEntry]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f".{POINTER_NAME}.{os.getpid()}"
        partial.write_text(registry_json(entries), encoding="utf-8")
        partial.replace(self._folder / POINTER_NAME)


def read_manifest(folder: Path) -> AdapterManifest:
    """The manifest of an exported adapter whose files have the hashes that it states; raises PromotionError."""
    try:
        manifest = AdapterManifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())
        changed = changed_files(folder, manifest)
    except (OSError, ValueError) as error:
        raise PromotionError(f"{folder} is no exported adapter: run export first.") from error
    if changed:
        raise PromotionError(
            f"{changed[0]} in {folder} is not the file that its manifest names: run export again.", files=changed
        )
    return manifest


def _report_for(exported: Path, report: Path | None) -> dict[str, Any]:
    if report is None and not (exported / REPORT_NAME).is_file():
        raise PromotionError("A new adapter needs the report of `evaluate`: --report report.json.")
    return read_report(report or exported / REPORT_NAME)


def _report_in(folder: Path) -> dict[str, Any]:
    if not (folder / REPORT_NAME).is_file():
        raise PromotionError(f"{folder.name} has no report to compare: run evaluate.")
    return read_report(folder / REPORT_NAME)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
