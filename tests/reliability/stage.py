"""The server that is measured: `switchyard serve` with data of its own, the fake model beside it, no traces."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from agent.settings import Settings
from eval.bench.processes import Measured
from server.access.scopes import SCOPES
from tests.e2e.process import SWITCHYARD, served
from tests.reliability.endpoint import model_process
from tests.server.keyed import make_key
from tests.server.site import DOCUMENTS


@dataclass(frozen=True)
class Stage:
    """A running server, its settings, its log, and the headers that it asks for."""

    settings: Settings
    measured: Measured
    log: Path
    headers: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.measured.url


@contextmanager
def stage(
    folder: Path, *, cache: Path | None = None, start: Sequence[str] = SWITCHYARD, **fields: Any
) -> Iterator[Stage]:
    """Starts model and server in `folder` and yields them with a few documents, or with the samples if they are on.

    `cache` is a folder with the fitted router of earlier servers, `start` what else to start than plain `switchyard`.
    """
    with model_process(folder) as model:
        models = model.models_file(folder / "models.yaml")
        chosen = {"samples": "off", "answer_cache": "off", "review": "off", "models": models, **fields}
        settings = Settings(data_dir=folder / "data", **chosen)
        assert settings.phoenix_endpoint is None, "with traces the figures are others"
        settings.data_dir.mkdir()
        if cache is not None:
            settings.cache_folder.symlink_to(cache)
        headers = {} if settings.auth == "off" else {"Authorization": f"Bearer {make_key(settings, 'ann', *SCOPES)}"}
        with served(settings, start=start) as running:
            if settings.samples == "off":
                added = running.site.http.post("/documents/batch", json={"documents": DOCUMENTS}, headers=headers)
                assert added.json()["failed"] == []
            measured = Measured(running.site.url, 0.0, psutil.Process(running.process.pid))
            yield Stage(settings, measured, running.log, headers)


def machine() -> str:
    """Where figures come from, and how busy it is at the moment."""
    cores = f"{len(os.sched_getaffinity(0))} of {os.cpu_count()} cores"
    return f"{cores}, Python {platform.python_version()}, {platform.system()}, load before {os.getloadavg()[0]:.1f}"
