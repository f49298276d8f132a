from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.offline import SWITCHES

# A library that is imported sooner than its switch is set starts to report: onnxruntime then writes to the home folder.
_ENTRIES = {
    "server": "import server.cli.main; import server.app",
    "studio": "import graphs.studio",
    "finetune": "import finetune.cli; import tools.knowledge.embed",
    "bench": "import eval.bench.__main__; import tools.knowledge.embed",
}


@pytest.mark.parametrize("entry", _ENTRIES)
def test_no_entry_writes_to_the_home_folder(entry: str, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in {*SWITCHES, "CI", "XDG_CACHE_HOME"}}
    environment = {**kept, "HOME": str(tmp_path), "SWITCHYARD_DATA_DIR": str(tmp_path.parent / f"{entry}-data")}
    subprocess.run([sys.executable, "-c", _ENTRIES[entry]], check=True, env=environment)
    assert list(tmp_path.rglob("*")) == []


def test_what_the_shell_says_stays(tmp_path: Path) -> None:
    script = "import os, tools; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "0", "HOME": str(tmp_path)}
    found = subprocess.run([sys.executable, "-c", script], check=True, env=environment, capture_output=True, text=True)
    assert found.stdout.strip() == "0"
