from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from server.data_directory import DataDirectoryError, owned_data_directory, prepare_data_directory

_HOLD = """
import sys
from pathlib import Path
from server.data_directory import owned_data_directory
with owned_data_directory(Path(sys.argv[1])):
    print("owned", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_owns_the_directory_and_gets_it_after_a_kill(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "owned\n"
    with pytest.raises(DataDirectoryError, match=f"process {holder.pid}"), owned_data_directory(tmp_path):
        pass
    holder.kill()
    holder.wait()
    with owned_data_directory(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataDirectoryError, match="cannot be written"):
        prepare_data_directory(tmp_path / "file" / "data")
