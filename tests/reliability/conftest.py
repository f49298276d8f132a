"""One server for the short versions: `python -m tests.reliability` runs the long ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.inside import FILE_VARIABLE
from tests.reliability.stage import Stage, stage
from tests.server.site import cache_folder


@pytest.fixture(scope="module")
def tasks_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the server tells its tasks."""
    with pytest.MonkeyPatch.context() as patch:
        file = tmp_path_factory.mktemp("tasks") / "tasks.json"
        patch.setenv(FILE_VARIABLE, str(file))
        yield file


@pytest.fixture(scope="module")
def server(tasks_file: Path, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Stage]:
    """A server in a process of its own."""
    start = ("-m", "tests.reliability.inside")
    with stage(tmp_path_factory.mktemp("server"), cache=cache_folder(pytestconfig), start=start) as running:
        yield running
