"""`switchyard keys`: who may use a server that runs with SWITCHYARD_AUTH=keys."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from agent.settings import Settings
from server.access.callers import Limits
from server.access.keys import ApiKey, key_id_of
from server.access.scopes import SCOPES, Scope
from server.access.service import default_limits
from server.access.store import KeyRecord, KeyStore, NewKey
from server.cli.failures import reported_failures
from server.cli.terminal import notices, output
from server.data_directory import prepare_data_directory
from server.storage import open_app_database
from tools.errors import InputError

_Result = TypeVar("_Result")

_UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"([1-9]\d{0,5})([mhd])")

app = typer.Typer(no_args_is_help=True, add_completion=False)


def parse_duration(text: str) -> int:
    """The seconds of a duration such as `30m`, `12h` or `90d`."""
    if (found := _DURATION.fullmatch(text)) is None:
        raise typer.BadParameter(f"{text!r} is no duration; say 30m, 12h or 90d.")
    return int(found[1]) * _UNITS_S[found[2]]


def _lifetime(text: str) -> float:
    """Seconds; endless for `never`."""
    return float("inf") if text == "never" else parse_duration(text)


def _key_id(text: str) -> str:
    if (key_id := key_id_of(text)) is None:
        raise typer.BadParameter("That is neither a key nor its id; list the ids with: switchyard keys list")
    return key_id


_KeyId = Annotated[str, typer.Argument(metavar="KEY", parser=_key_id, help="The key's id, or the key itself.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def _group() -> None:
    """Make, list, rotate and revoke API keys. They count for a server with SWITCHYARD_AUTH=keys, which may be running.

    Examples:

    switchyard keys create ann --scope chat --scope documents --expires 90d

    switchyard keys list

    switchyard keys rotate 3f9c0a71d2e4 --grace 1h

    switchyard keys revoke 3f9c0a71d2e4
    """


@app.command("create")
def create(
    owner: Annotated[str, typer.Argument(metavar="OWNER", help="Whose threads, runs and documents the key works on.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"What it may do (may be repeated): {', '.join(SCOPES)}. Default: chat, documents."),
    ] = None,
    name: Annotated[str, typer.Option(help="What it is for, to tell keys apart.")] = "",
    expires: Annotated[str, typer.Option(metavar="TIME", help="How long it works: 30m, 12h, 90d or never.")] = "365d",
    requests_per_minute: Annotated[int | None, typer.Option(min=0, help="0: no limit. Default: the server's.")] = None,
    tokens_per_day: Annotated[int | None, typer.Option(min=0, help="Of the models. 0: no limit.")] = None,
    tokens_per_month: Annotated[int | None, typer.Option(min=0, help="Of the models. 0: no limit.")] = None,
    usd_per_day: Annotated[float | None, typer.Option(min=0, help="At the endpoints' prices. 0: no limit.")] = None,
    usd_per_month: Annotated[float | None, typer.Option(min=0, help="At the endpoints' prices. 0: no limit.")] = None,
    as_json: _AsJson = False,
) -> None:
    """Make a key and print it, this once: only its hash is kept. Several keys may have the same owner.

    What was made with SWITCHYARD_AUTH=off, the samples included, belongs to the owner `local`.

    Examples:

    switchyard keys create ann

    export SWITCHYARD_API_KEY=$(switchyard keys create local --name laptop)

    switchyard keys create reports --scope chat --tokens-per-day 200000 --expires never
    """
    limits: dict[str, float | None] = {
        "requests_per_minute": requests_per_minute,
        "tokens_per_day": tokens_per_day,
        "tokens_per_month": tokens_per_month,
        "usd_per_day": usd_per_day,
        "usd_per_month": usd_per_month,
    }
    lifetime = _lifetime(expires)
    with reported_failures():
        new = NewKey(owner, name, _scopes(scope), None if lifetime == float("inf") else lifetime, limits)
        key, record = _run(lambda store: _issued(store, store.create(new)))
    _print_key(key, record, as_json=as_json)


@app.command("list")
def list_keys(as_json: _AsJson = False) -> None:
    """List the keys, the newest first: whose, what for, until when, last used. Never the keys themselves.

    Example: switchyard keys list --json
    """
    with reported_failures():
        records = _run(lambda store: store.list())
        defaults = default_limits(Settings())
    if as_json:
        typer.echo(orjson.dumps([_shown(record, defaults) for record in records], option=orjson.OPT_INDENT_2))
        return
    if not records:
        output().print("No keys. Make one with: switchyard keys create OWNER")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("Id", "Owner", "Name", "Scopes", "Status", "Expires", "Last used"):
        table.add_column(column, overflow="fold")
    now = time.time()
    for record in records:
        ends = "never" if record.expires_at is None else _day(record.expires_at)
        used = "never" if record.last_used_at is None else _minute(record.last_used_at)
        scopes = ", ".join(record.scopes)
        table.add_row(record.key_id, record.owner, record.name, scopes, record.status(now), ends, used)
    output().print(table)


@app.command("rotate")
def rotate(
    key_id: _KeyId,
    grace: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long the old secret still works: 30m, 12h, 7d.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Give a key a new secret and its lifetime anew. Id, owner, scopes, limits and what it has spent stay.

    Without --grace the old secret stops working at once.

    Example: switchyard keys rotate 3f9c0a71d2e4 --grace 1h
    """
    grace_s = 0 if grace is None else parse_duration(grace)
    with reported_failures():
        key, record = _run(lambda store: _issued(store, store.rotate(key_id, grace_s)))
    _print_key(key, record, as_json=as_json)


@app.command("revoke")
def revoke(key_id: _KeyId, as_json: _AsJson = False) -> None:
    """End a key at once and for good, also in a server that runs. What its owner has stays.

    Example: switchyard keys revoke 3f9c0a71d2e4
    """
    with reported_failures():
        record = _run(lambda store: store.revoke(key_id))
    if as_json:
        typer.echo(orjson.dumps(_shown(record, default_limits(Settings())), option=orjson.OPT_INDENT_2))
    else:
        typer.echo(f"The key {record.key_id} of {record.owner} is revoked.")


def _run(work: Callable[[KeyStore], Awaitable[_Result]]) -> _Result:
    """Work on the keys in the database: beside a running server, which reads them anew for each request."""
    settings = Settings()
    prepare_data_directory(settings.data_dir)
    database = open_app_database(settings)

    async def run() -> _Result:
        return await work(KeyStore(database))

    try:
        return asyncio.run(run())
    finally:
        database.close()


async def _issued(store: KeyStore, made: Awaitable[ApiKey]) -> tuple[ApiKey, KeyRecord]:
    key = await made
    record = await store.find(key.key_id)
    assert record is not None, "it was written a moment ago"
    return key, record


def _scopes(given: Sequence[str] | None) -> list[Scope]:
    known: dict[str, Scope] = {scope: scope for scope in SCOPES}
    chosen: list[Scope] = []
    for scope in given or ("chat", "documents"):
        if scope not in known:
            raise InputError(f"There is no scope {scope!r}; there are {', '.join(SCOPES)}.", code="invalid_scope")
        chosen.append(known[scope])
    return chosen


def _print_key(key: ApiKey, record: KeyRecord, *, as_json: bool) -> None:
    """The key alone goes to standard output, so that it can be caught in a variable."""
    if as_json:
        shown = {"key": key.text, **_shown(record, default_limits(Settings()))}
        typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2))
        return
    ends = "never expires" if record.expires_at is None else f"expires {_day(record.expires_at)}"
    told = f"Key {record.key_id} of {record.owner} ({', '.join(record.scopes)}), {ends}. It is shown only now:"
    notices().print(told, soft_wrap=True)
    typer.echo(key.text)


def _shown(record: KeyRecord, defaults: Limits) -> dict[str, Any]:
    """A key for machines: without hashes, with the limits that hold for it."""
    named = ("key_id", "owner", "name", "scopes", "created_at", "issued_at", "expires_at", "revoked_at", "last_used_at")
    return {
        **{name: getattr(record, name) for name in named},
        "status": record.status(time.time()),
        "limits": asdict(record.limits(defaults)),
    }


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _minute(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
