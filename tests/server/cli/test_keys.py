"""`switchyard keys`, beside a server and without one."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.settings import Settings
from server.access.keys import ApiKey
from server.access.store import KeyRecord, KeyStore
from server.cli.main import app
from server.db.engine import open_database
from tests.fakes.endpoint import FakeEndpoint
from tests.server.keyed import Keyed, open_keyed
from tests.server.site import settings_for

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `switchyard keys` on an empty data directory."""
    environment = {"SWITCHYARD_DATA_DIR": str(tmp_path), "COLUMNS": "200"}
    return lambda *arguments: CliRunner().invoke(app, ["keys", *arguments], env=environment)


def made(run: Run, *arguments: str) -> ApiKey:
    result = run("create", *arguments)
    assert result.exit_code == 0, result.output
    key = ApiKey.parse(result.stdout.strip())
    assert key is not None
    return key


def stored(folder: Path, key_id: str) -> KeyRecord:
    database = open_database(Settings(data_dir=folder).app_database)
    try:
        record = asyncio.run(KeyStore(database).find(key_id))
    finally:
        database.close()
    assert record is not None
    return record


def test_a_new_key_is_printed_alone_and_once(run: Run, tmp_path: Path) -> None:
    result = run("create", "ann", "--name", "laptop")
    key = ApiKey.parse(result.stdout.strip())
    assert key is not None
    assert f"Key {key.key_id} of ann (chat, documents), expires " in result.stderr
    assert key.secret not in result.stderr
    record = stored(tmp_path, key.key_id)
    assert (record.owner, record.name, record.scopes) == ("ann", "laptop", ("chat", "documents"))
    assert record.expires_at == pytest.approx(record.created_at + 365 * 86_400)
    for listing in (run("list").stdout, run("list", "--json").stdout):
        assert key.key_id in listing
        assert key.secret not in listing
        assert key.sha256 not in listing


def test_scopes_limits_and_expiry_are_chosen(run: Run, tmp_path: Path) -> None:
    arguments = ["--scope", "review", "--scope", "admin", "--expires", "never", "--tokens-per-day", "0"]
    key = made(run, "reports", *arguments, "--requests-per-minute", "7", "--usd-per-month", "1.5")
    record = stored(tmp_path, key.key_id)
    assert (record.scopes, record.expires_at) == (("admin", "review"), None)
    assert (record.requests_per_minute, record.tokens_per_day, record.usd_per_month) == (7, 0, 1.5)
    (shown,) = json.loads(run("list", "--json").stdout)
    assert shown["limits"] == {
        "requests_per_minute": 7,
        "tokens_per_day": 0,
        "tokens_per_month": 0,
        "usd_per_day": 20,
        "usd_per_month": 1.5,
    }
    assert (shown["status"], shown["last_used_at"]) == ("active", None)


def test_json_holds_the_key_for_machines(run: Run) -> None:
    shown = json.loads(run("create", "ann", "--json").stdout)
    assert ApiKey.parse(shown["key"]) is not None
    assert shown["key_id"] in shown["key"]
    again = json.loads(run("rotate", shown["key_id"], "--json").stdout)
    assert (again["key_id"], again["key"] == shown["key"]) == (shown["key_id"], False)
    assert json.loads(run("revoke", shown["key_id"], "--json").stdout)["status"] == "revoked"


@pytest.mark.parametrize("name_it", [lambda key: key.key_id, lambda key: key.text], ids=["by id", "by key"])
def test_a_key_is_rotated_then_revoked(run: Run, tmp_path: Path, name_it: Callable[[ApiKey], str]) -> None:
    old = made(run, "ann")
    new = ApiKey.parse(run("rotate", name_it(old), "--grace", "1h").stdout.strip())
    assert new is not None
    record = stored(tmp_path, old.key_id)
    assert [record.accepts(key, record.issued_at + 60) for key in (old, new)] == [True, True]
    assert [record.accepts(key, record.issued_at + 3700) for key in (old, new)] == [False, True]
    assert run("revoke", name_it(new)).stdout == f"The key {old.key_id} of ann is revoked.\n"
    record = stored(tmp_path, old.key_id)
    assert [record.accepts(key, record.issued_at) for key in (old, new)] == [False, False]
    refused = run("rotate", old.key_id)
    assert (refused.exit_code, "was revoked" in refused.stderr) == (1, True)


def test_no_keys_is_said_with_the_way_to_one(run: Run) -> None:
    assert "switchyard keys create" in run("list").stdout
    assert json.loads(run("list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["create", "a/b"], 1, "cannot be an owner"),
        (["create", "ann", "--scope", "everything"], 1, "no scope 'everything'"),
        (["create", "ann", "--expires", "soon"], 2, "no duration"),
        (["create", "ann", "--expires", "0d"], 2, "no duration"),
        (["create", "ann", "--tokens-per-day", "-1"], 2, "tokens-per-day"),
        (["create"], 2, "OWNER"),
        (["revoke", "0123456789ab"], 1, "no key '0123456789ab'"),
        (["rotate", "0123456789ab"], 1, "no key '0123456789ab'"),
        (["revoke", "ann"], 2, "neither a key nor its id"),
        (["rotate", "0123456789ab", "--grace", "1"], 2, "no duration"),
    ],
)
def test_mistakes_are_told_and_change_nothing(run: Run, arguments: list[str], code: int, told: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert json.loads(run("list", "--json").stdout) == []


def test_a_full_key_is_not_repeated_in_an_error(run: Run) -> None:
    key = ApiKey.new()
    for command in ("revoke", "rotate"):
        assert key.secret not in run(command, key.text).output
        assert key.secret not in run(command, key.text + "x").output


@pytest.fixture(scope="module")
def served(
    _fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Keyed]:
    """A server with keys that commands find."""
    settings = settings_for(tmp_path_factory.mktemp("found"), _fake, pytestconfig, auth="keys")
    with open_keyed(settings) as keyed:
        settings.server_file.write_text(json.dumps({"url": keyed.site.url, "pid": os.getpid()}))
        yield keyed


def command(keyed: Keyed, *arguments: str, **environment: str) -> Result:
    given = {"SWITCHYARD_DATA_DIR": str(keyed.site.settings.data_dir), "SWITCHYARD_AUTH": "keys", **environment}
    return CliRunner().invoke(app, list(arguments), env=given)


def test_keys_are_made_and_revoked_beside_a_running_server(served: Keyed) -> None:
    key = command(served, "keys", "create", "carol").stdout.strip()
    assert served.request(key, "GET", "/api/v1/documents").status_code == 200
    assert command(served, "keys", "revoke", key).exit_code == 0
    assert served.request(key, "GET", "/api/v1/documents").status_code == 401


def test_the_list_says_when_a_key_was_used(served: Keyed) -> None:
    key = command(served, "keys", "create", "carol").stdout.strip()
    assert served.request(key, "GET", "/api/v1/documents").status_code == 200
    for _ in range(200):
        listed = json.loads(command(served, "keys", "list", "--json").stdout)
        (used,) = [each["last_used_at"] for each in listed if each["key_id"] in key]
        if used is not None:
            break
    assert used is not None


def test_commands_bring_the_key_of_their_environment(served: Keyed) -> None:
    found = command(served, "search", "dispute", "--json", SWITCHYARD_API_KEY=served.keys["ann"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["results"][0]["document_id"]
    others = command(served, "search", "dispute", "--json", SWITCHYARD_API_KEY=served.keys["bob"])
    assert json.loads(others.stdout)["results"] == []


@pytest.mark.parametrize(
    ("environment", "told"), [({}, "SWITCHYARD_API_KEY"), ({"SWITCHYARD_API_KEY": "sk-1"}, "invalid_key")]
)
def test_commands_without_a_key_say_what_to_do(served: Keyed, environment: dict[str, str], told: str) -> None:
    result = command(served, "search", "dispute", **environment)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert told in result.stderr


def test_without_a_server_commands_work_as_the_key_s_owner(
    fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> None:
    settings = settings_for(tmp_path_factory.mktemp("alone"), fake, pytestconfig, auth="keys")
    (note := settings.data_dir / "note.md").write_text("# Vault\n\nThe vault code is 4711.")
    environment = {
        "SWITCHYARD_DATA_DIR": str(settings.data_dir),
        "SWITCHYARD_AUTH": "keys",
        "SWITCHYARD_SAMPLES": "off",
        "SWITCHYARD_MODELS": str(settings.models),
    }

    def run(key: str | None, *arguments: str) -> Result:
        given = environment if key is None else {**environment, "SWITCHYARD_API_KEY": key}
        return CliRunner().invoke(app, list(arguments), env=given)

    ann, bob = (run(None, "keys", "create", owner).stdout.strip() for owner in ("ann", "bob"))
    assert run(ann, "ingest", str(note)).exit_code == 0
    found = [json.loads(run(key, "search", "vault code", "--json").stdout)["results"] for key in (ann, bob)]
    assert ([len(each) for each in found], found[0][0]["title"]) == ([1, 0], "Vault")
    refused = run(None, "search", "vault code")
    assert (refused.exit_code, "SWITCHYARD_API_KEY" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "SWITCHYARD_AUTH=off"),
        ({"SWITCHYARD_AUTH": "keys"}, "SWITCHYARD_ALLOWED_HOSTS"),
        ({"SWITCHYARD_AUTH": "keys", "SWITCHYARD_ALLOWED_HOSTS": "*"}, "SWITCHYARD_ALLOWED_HOSTS"),
        ({"SWITCHYARD_AUTH": "on"}, "SWITCHYARD_AUTH"),
    ],
)
def test_a_server_that_anybody_could_reach_does_not_start(
    tmp_path: Path, environment: dict[str, str], told: str
) -> None:
    given = {"SWITCHYARD_DATA_DIR": str(tmp_path / "data"), **environment}
    result = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0", "--port", "0"], env=given)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert told in result.stderr
    assert not (tmp_path / "data").exists()
