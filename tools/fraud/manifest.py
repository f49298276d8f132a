"""The manifest beside an adapter: what it was trained for and the hashes that prove which files it means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.files import file_sha256
from tools.fraud.calibration import Calibration
from tools.fraud.errors import AdapterError
from tools.fraud.narrative import NARRATIVE_VERSION
from tools.fraud.number_levels import NumberLevels
from tools.fraud.prompt import LabelPrompt

MANIFEST_NAME = "manifest.json"
_Sha256 = Field(pattern=r"^[0-9a-f]{64}$")


class WeightsFile(BaseModel):
    """A file of weights and its SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sha256: str = _Sha256


class AdapterManifest(BaseModel):
    """Everything that scoring with an adapter needs beside the adapter itself. `adapter.name` lies in its folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    name: str
    task: str
    base: WeightsFile
    adapter: WeightsFile
    weights_sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Of the trained weights that `adapter` was made from; a report of `evaluate` names them too.",
    )
    files: dict[str, Annotated[str, _Sha256]] = Field(
        default_factory=dict, description="SHA-256 of the files of the folder; serving reads `adapter` only."
    )
    prompt_version: str
    prompt_sha256: str = _Sha256
    narrative_version: int
    labels: tuple[str, ...] = Field(min_length=2)
    levels: NumberLevels | None = Field(default=None, description="How the prompt says numbers; None: as they are.")
    calibration: Calibration = Calibration()
    threshold: float = Field(default=0.5, gt=0, lt=1, description="Probability from which the label is FRAUD.")
    data_sha256: str | None = None
    metrics: dict[str, float | None] = Field(default_factory=dict)
    created: str | None = None


def load_manifest(folder: Path, base_sha256: str, prompt: LabelPrompt) -> AdapterManifest:
    """Read and check an adapter's manifest against its file, the base model that is served and the prompt.

    Raises AdapterError when anything differs: a mismatched adapter answers plausibly and wrongly. Reads the whole
    adapter file; call it from a worker thread.
    """
    try:
        manifest = AdapterManifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())
    except (OSError, ValidationError) as error:
        raise AdapterError(f"The adapter in {folder.name} has no readable {MANIFEST_NAME}.") from error
    path = folder / manifest.adapter.name
    if path.parent != folder or not path.is_file():
        raise AdapterError(f"The adapter {manifest.name} has no file {manifest.adapter.name!r}.")
    expected: dict[str, tuple[object, object]] = {
        "adapter file": (manifest.adapter.sha256, file_sha256(path)),
        "base model": (manifest.base.sha256, base_sha256),
        "prompt": (manifest.prompt_sha256, prompt.sha256),
        "narrative version": (manifest.narrative_version, NARRATIVE_VERSION),
        "labels": (manifest.labels, prompt.labels),
    }
    different = [what for what, (stated, found) in expected.items() if stated != found]
    if different:
        raise AdapterError(
            f"The adapter {manifest.name} does not fit: {', '.join(different)} differ from its manifest.",
            different=different,
        )
    return manifest


def changed_files(folder: Path, manifest: AdapterManifest) -> list[str]:
    """The files of an adapter's folder that are missing or have another hash than the manifest states."""
    stated = {**manifest.files, manifest.adapter.name: manifest.adapter.sha256}
    return [name for name, sha256 in stated.items() if not _is_file(folder / name, folder, sha256)]


def _is_file(path: Path, folder: Path, sha256: str) -> bool:
    return path.parent == folder and path.is_file() and file_sha256(path) == sha256
