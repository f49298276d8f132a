"""A PostgreSQL of the test session's own: Debian's, on a socket in a temporary folder, gone at the end."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from server.audit.trail import AuditFiles
from server.postgres.checkpoints import open_postgres_checkpoints
from server.postgres.database import open_postgres

_PROGRAMS = Path("/usr/lib/postgresql")
_TEMPLATE = "switchyard_template"
_USER = "switchyard"
_START_S = 60
# Nothing here has to survive a power cut.
_FAST = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "shared_buffers=32MB",
    "deadlock_timeout=20ms",
)
_ONLY_A_SOCKET = "listen_addresses="


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL, with a template that has all tables."""

    folder: Path

    def url(self, database: str) -> str:
        """The address of a database."""
        return f"postgresql:///{database}?host={self.folder}&user={_USER}"

    def create(self, *, template: str = _TEMPLATE) -> str:
        """Make a database; returns its address."""
        name = f"test_{uuid.uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def empty(self) -> str:
        """Make a database without a table; returns its address."""
        return self.create(template="template0")

    def drop(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        name = url.removeprefix("postgresql:///").partition("?")[0]
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def away(self, url: str) -> Generator[None]:
        """Takes a database from those who use it, until the block ends."""
        name = url.removeprefix("postgresql:///").partition("?")[0]
        self._execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        self._execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            yield
        finally:
            self._execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    def make_template(self) -> None:
        """Make the database that the others are copied from."""
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        keys = AuditFiles.beside(self.folder / "template")
        open_postgres(self.url(_TEMPLATE), keys).close()
        asyncio.run(self._open_checkpoints())

    async def _open_checkpoints(self) -> None:
        async with open_postgres_checkpoints(self.url(_TEMPLATE)):
            pass

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def cluster() -> Generator[Cluster]:
    """Starts PostgreSQL and stops it at the end; skips the test where it is not installed."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="switchyard-postgres-"))
    # PostgreSQL refuses to run as root.
    person: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = _unprivileged()
        os.chown(folder, user.pw_uid, user.pw_gid)
        person = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data = folder / "data"
    log = folder / "log"
    process = None
    try:
        init = [programs / "initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(init, check=True, capture_output=True, cwd=folder, **person)
        options = [part for option in (*_FAST, _ONLY_A_SOCKET) for part in ("-c", option)]
        with log.open("wb") as output:
            command = [programs / "postgres", "-D", data, "-k", folder, *options]
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=folder, **person)
        running = Cluster(folder)
        _wait_until_up(running, process, log)
        running.make_template()
        yield running
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait()
        shutil.rmtree(folder)


def _programs() -> Path:
    found = sorted(_PROGRAMS.glob("*/bin/postgres"), key=lambda path: int(path.parents[1].name))
    if not found:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    return found[-1].parent


def _unprivileged() -> pwd.struct_passwd:
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _wait_until_up(running: Cluster, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(running.url("postgres")).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
