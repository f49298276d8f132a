"""Where adapters lie and which one serves: the registry's pointer file first, else the packaged adapter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

from tools.fraud.errors import AdapterError
from tools.fraud.manifest import MANIFEST_NAME

AdapterState = Literal["candidate", "production", "archived"]
POINTER_NAME = "registry.json"
PRODUCTION = "production"
_PACKAGED = Path(__file__).with_name("packaged_adapters")


@dataclass(frozen=True)
class RegistryEntry:
    """An adapter in the registry, its task, its state and since when (ISO 8601), and whether it ever served."""

    name: str
    task: str
    state: AdapterState
    since: str
    served: bool = False


def registry_folder(data_dir: Path) -> Path:
    """The registry below a data directory."""
    return data_dir / "finetune" / "registry"


def merged_folder(data_dir: Path) -> Path:
    """Where a server keeps base and adapter as one file; a cache."""
    return data_dir / "finetune" / "merged"


def adapter_folder(registry: Path, name: str) -> Path:
    """Where a registered adapter's files lie."""
    return registry / name.replace("@", "-")


def read_registry(registry: Path) -> list[RegistryEntry]:
    """All registered adapters, oldest change first; raises AdapterError when the pointer file is unreadable."""
    try:
        content = (registry / POINTER_NAME).read_text("utf-8")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise AdapterError(f"The registry {registry} cannot be read.") from error
    try:
        found: Any = json.loads(content)["adapters"]
        return [_entry(cast("dict[str, Any]", entry)) for entry in found]
    except (ValueError, KeyError, TypeError) as error:
        raise AdapterError(f"{POINTER_NAME} of the registry is not readable.") from error


def _entry(found: dict[str, Any]) -> RegistryEntry:
    # Files from before `served`: what was archived then nearly always had served.
    return RegistryEntry(**{"served": found["state"] != "candidate", **found})


def registry_json(entries: Sequence[RegistryEntry]) -> str:
    """The pointer file's content."""
    return json.dumps({"format": 1, "adapters": [asdict(entry) for entry in entries]}, indent=1) + "\n"


def find_adapter(registry: Path, task: str, wanted: str) -> Path | None:
    """The folder of an adapter by name, or of the one in `production`; None where nothing was ever promoted.

    Raises AdapterError for an unknown name or an unreadable registry.
    """
    entries = read_registry(registry)
    if wanted != PRODUCTION:
        if wanted not in {entry.name for entry in entries}:
            raise AdapterError(f"The registry has no adapter {wanted!r}.")
        return adapter_folder(registry, wanted)
    serving = [entry for entry in entries if entry.task == task and entry.state == PRODUCTION]
    return adapter_folder(registry, serving[-1].name) if serving else packaged_adapter(task)


def packaged_adapter(task: str) -> Path | None:
    """The adapter that comes with the project, if there is one for this task."""
    folder = _PACKAGED / task
    return folder if (folder / MANIFEST_NAME).is_file() else None
