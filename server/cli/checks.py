"""What `switchyard doctor` looks at. Nothing is changed: no folder is made, no database migrated."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import httpx
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import DBAPIError, NoResultFound, SQLAlchemyError

from agent.models.catalog import Catalog, CatalogError, load_catalog
from agent.models.files import ALL_MODEL_FILES
from agent.prompts.registry import PromptError, PromptRegistry
from agent.settings import Settings
from server.access.binding import UnsafeAddressError, require_safe_address
from server.cli.backend import ServerError, running_server
from server.cli.models import check_file
from server.db.tables import api_keys, documents
from server.storage import read_database
from tools.errors import SwitchyardError

Status = Literal["ok", "warn", "fail"]

_MEBIBYTE = 2**20
_LOW_SPACE_MB = 1024
_NO_SPACE_MB = 100
_TIMEOUT_S = 2
_PYTHON = (3, 11)


@dataclass(frozen=True)
class Check:
    """What was found about one thing, and how to mend it."""

    name: str
    status: Status
    found: str
    fix: str = ""


@dataclass(frozen=True)
class _Extra:
    modules: tuple[str, ...]
    purpose: str
    install: str


_DEV_LOCK = "scripts/install.sh .venv dev"
_EXTRAS: Mapping[str, _Extra] = {
    "finetune": _Extra(("torch", "transformers", "peft", "trl"), "training", "scripts/install.sh .venv finetune"),
    "eval": _Extra(("ragas", "matplotlib"), "evaluation reports", _DEV_LOCK),
    "phoenix": _Extra(("phoenix",), "a local Phoenix", _DEV_LOCK),
    "postgres": _Extra(("psycopg", "psycopg_pool"), "PostgreSQL", "scripts/install.sh .venv postgres"),
    "scale": _Extra(("ray",), "Ray clusters", '.venv/bin/python -m pip install "ray[data,tune]>=2.50"'),
}


def run_checks(settings: Settings) -> Iterator[Check]:
    """All checks, the fundamental ones first."""
    yield _python()
    yield _data_directory(settings.data_dir)
    yield _space(settings.data_dir)
    yield from _models(settings)
    yield _prompts(settings)
    yield _access(settings)
    yield from _server(settings)
    yield from _database(settings)
    yield from _services(settings)
    yield from (_extra(name, extra) for name, extra in _EXTRAS.items())


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= _PYTHON:
        return Check("Python", "ok", version)
    return Check("Python", "fail", version, "Install Python 3.11 or newer and run: make clean serve")


def _data_directory(folder: Path) -> Check:
    existing = _nearest(folder)
    fix = "Change its rights, or set SWITCHYARD_DATA_DIR to another folder."
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return Check("Data directory", "fail", f"{folder} cannot be written ({error.strerror})", fix)
    remark = "" if existing == folder.absolute() else ", made on first start"
    return Check("Data directory", "ok", f"{folder.absolute()} can be written{remark}")


def _space(folder: Path) -> Check:
    free = shutil.disk_usage(_nearest(folder)).free // _MEBIBYTE
    status: Status = "fail" if free < _NO_SPACE_MB else "warn" if free < _LOW_SPACE_MB else "ok"
    fix = "" if status == "ok" else "Free some space, or set SWITCHYARD_DATA_DIR to a folder on another disk."
    return Check("Free space", status, f"{free:,} MB", fix)


def _nearest(folder: Path) -> Path:
    """The folder itself or the nearest one above it that exists."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())


def _models(settings: Settings) -> Iterator[Check]:
    states = [check_file(file) for file in ALL_MODEL_FILES]
    for state in states:
        if state.problem is not None:
            found, _, fix = state.problem.partition(" Reinstall it: ")
            yield Check(f"Model file {state.name}", "fail", found, fix)
    if not any(state.problem for state in states):
        yield Check("Model files", "ok", f"{len(states)} files, SHA-256 as expected")
    try:
        catalog = load_catalog(settings.models)
    except CatalogError as error:
        yield Check("Models file", "fail", error.message, "Correct the file that SWITCHYARD_MODELS names.")
        return
    yield _keys(catalog)


def _prompts(settings: Settings) -> Check:
    try:
        in_use = PromptRegistry(settings.prompt_file).in_use()
    except PromptError as error:
        return Check(
            "Prompts", "fail", error.message, "Choose another version: switchyard prompts rollback NAME VERSION"
        )
    return Check("Prompts", "ok", f"in use: {', '.join(prompt.id for prompt in in_use.values())}")


def _keys(catalog: Catalog) -> Check:
    used = {model.endpoint for role in catalog.roles.values() for model in role.models}
    names = {catalog.endpoints[name].api_key_env for name in used}
    missing = sorted(name for name in names if name and not os.environ.get(name))
    if missing:
        return Check("Models file", "warn", f"no key in {', '.join(missing)}", f"export {missing[0]}=...")
    return Check("Models file", "ok", f"roles served by: {', '.join(sorted(used))}")


def _access(settings: Settings) -> Check:
    try:
        require_safe_address(settings)
    except UnsafeAddressError as error:
        return Check("Access", "fail", f"the server would not listen on {settings.host}", error.message)
    if settings.auth == "off":
        return Check("Access", "ok", "one local user, this machine only")
    if not (count := _usable_keys(settings)):
        return Check("Access", "warn", "nobody has a key", "Make one: switchyard keys create OWNER")
    return Check("Access", "ok", f"{count} usable keys")


def _usable_keys(settings: Settings) -> int:
    ends = api_keys.c.expires_at
    usable = select(func.count()).where(api_keys.c.revoked_at.is_(None), ends.is_(None) | (ends > time.time()))
    try:
        with read_database(settings) as connection:
            return connection.execute(usable).scalar_one()
    except (SQLAlchemyError, SwitchyardError):
        return 0  # no database yet, or none that has keys; what ails it the database's own check says


def _server(settings: Settings) -> Iterator[Check]:
    try:
        url = running_server(settings)
    except ServerError as error:
        yield Check("Server", "fail", error.message, "Stop that process and start again: switchyard serve")
        return
    if url is not None:
        yield Check("Server", "ok", f"runs at {url}")
        return
    yield Check("Server", "ok", "does not run; commands open the data directory themselves")
    yield _port(settings)


def _port(settings: Settings) -> Check:
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        fix = "Stop what uses it, or choose another: SWITCHYARD_PORT=8001"
        return Check("Port", "fail", f"{settings.port} on {settings.host} cannot be used ({error.strerror})", fix)
    return Check("Port", "ok", f"{settings.port} on {settings.host} is free")


def _database(settings: Settings) -> Iterator[Check]:
    path = settings.app_database
    if settings.database_url is None and not path.is_file():
        yield Check("Database", "ok", "none yet; made on first start")
        return
    try:
        with read_database(settings) as connection:
            revision, counts = _contents(connection)
    except (DBAPIError, NoResultFound) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        place = path if settings.database_url is None else "PostgreSQL"
        yield Check(
            "Database", "fail", f"{place} cannot be read ({cause})", "Restore it from a backup, or move it away."
        )
        return
    except SwitchyardError as error:
        found, _, fix = error.message.partition(". ")
        yield Check("Database", "fail", found, fix)
        return
    if revision is None:
        yield Check("Database", "ok", "has no tables yet; made on first start")
        return
    yield _revision(revision)
    yield _documents(settings, counts)


def _contents(connection: Connection) -> tuple[str | None, dict[str, int]]:
    """The revision of the schema, none where there is no schema yet, and how many documents have each status."""
    if not inspect(connection).has_table("alembic_version"):
        return None, {}
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    counts = select(documents.c.status, func.count()).group_by(documents.c.status)
    return revision, {status: count for status, count in connection.execute(counts)}


def _revision(revision: str) -> Check:
    script = ScriptDirectory(str(resources.files("server.db").joinpath("migrations")))
    known = {step.revision for step in script.walk_revisions()}
    if revision not in known:
        return Check("Database", "fail", f"schema {revision} is newer than this version", "Install the newer version.")
    if revision != script.get_current_head():
        return Check("Database", "warn", f"schema {revision} is old", "It is brought up to date on the next start.")
    return Check("Database", "ok", f"schema {revision}, up to date")


def _documents(settings: Settings, counts: Mapping[str, int]) -> Check:
    found = ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "none"
    if not counts and settings.samples == "on":
        return Check("Documents", "ok", "none yet; the samples are indexed on first start")
    if not counts:
        return Check("Documents", "warn", found, "Add some: switchyard ingest PATH")
    if failed := counts.get("failed", 0):
        return Check("Documents", "warn", found, f"GET /api/v1/documents says why {failed} failed; add them again.")
    return Check("Documents", "ok", found)


def _services(settings: Settings) -> Iterator[Check]:
    if settings.qdrant_url:
        fix = "Start it, or unset SWITCHYARD_QDRANT_URL to use the embedded store."
        yield _reachable("Qdrant", settings.qdrant_url, "fail", fix)
    if settings.phoenix_endpoint:
        yield _reachable("Phoenix", settings.phoenix_endpoint, "warn", "Start it: make phoenix (chats work without it)")


def _reachable(name: str, url: str, otherwise: Status, fix: str) -> Check:
    try:
        httpx.get(url, timeout=_TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Check(name, otherwise, f"{url} does not answer ({error})", fix)
    return Check(name, "ok", f"{url} answers")


def _extra(name: str, extra: _Extra) -> Check:
    missing = [module for module in extra.modules if find_spec(module) is None]
    if missing:
        return Check(f"Extra {name}", "ok", f"not installed; only for {extra.purpose}", f"To add it: {extra.install}")
    return Check(f"Extra {name}", "ok", "installed")
