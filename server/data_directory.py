"""The data directory: writable, and used by one process at a time, since the embedded stores have one owner."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from tools.errors import SwitchyardError
from tools.files import write_atomically


class DataDirectoryError(SwitchyardError):
    """The data directory cannot be used."""

    code = "data_directory"


def prepare_data_directory(folder: Path) -> None:
    """Make the data directory if need be and check that it can be written.

    Raises:
        DataDirectoryError: it cannot.
    """
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise DataDirectoryError(
            f"The data directory {folder} cannot be written ({error.strerror}). "
            "Change its rights or set SWITCHYARD_DATA_DIR to another folder.",
            path=str(folder),
        ) from None


def directory_name(folder: Path) -> str:
    """A name of the data directory that no other one has. It is made on first use, by the directory's owner."""
    file = folder / "directory-name"
    if not file.exists():
        write_atomically(file, uuid4().hex)
    return file.read_text(encoding="ascii")


@contextmanager
def owned_data_directory(folder: Path) -> Generator[None]:
    """Own the data directory until the end; the system lets go of it when the process dies.

    Raises:
        DataDirectoryError: it cannot be written, or another process owns it.
    """
    prepare_data_directory(folder)
    with (folder / "owner.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise DataDirectoryError(
                f"Another Switchyard (process {lock.read().strip() or 'unknown'}) uses the data directory {folder}. "
                "Stop it, or set SWITCHYARD_DATA_DIR to another folder.",
                path=str(folder),
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
