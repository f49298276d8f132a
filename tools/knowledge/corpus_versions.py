"""The version of each collection's content: whatever was computed from a collection holds for one version of it."""

from __future__ import annotations

import logging
import uuid
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tools.files import write_atomically

_log = logging.getLogger(__name__)

_VERSIONS = TypeAdapter(dict[str, str])


class CorpusVersions:
    """A random version for each collection, exchanged before every write; in a file, so that it survives a restart.

    Not a counter: a data directory that is restored from a backup would count to the same number with other content.
    """

    def __init__(self, file: Path | None = None) -> None:
        """Read the versions in `file`; without one they are kept in memory. Blocks."""
        self._file = file
        self._versions = {} if file is None else _read(file)
        # For collections that were last written before versions existed, or whose versions were lost.
        self._unknown = uuid.uuid4().hex

    def current(self, collection: str) -> str:
        """The version of a collection; safe to call from any thread."""
        return self._versions.get(collection, self._unknown)

    def renew(self, collection: str) -> None:
        """Give a collection a new version, before its content is changed. Blocks.

        Raises:
            OSError: the file cannot be written; the content must then stay as it is.
        """
        versions = {**self._versions, collection: uuid.uuid4().hex}
        if self._file is not None:
            write_atomically(self._file, _VERSIONS.dump_json(versions, indent=1).decode() + "\n")
        self._versions = versions


def _read(file: Path) -> dict[str, str]:
    try:
        return _VERSIONS.validate_json(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError):
        _log.warning("%s cannot be read: every collection gets a new version", file)
        return {}
