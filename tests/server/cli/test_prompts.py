"""`switchyard prompts` over prompts with several versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.settings import Settings
from server.cli.main import app

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `switchyard prompts` on an empty data directory; `greet` has three versions, `part` one."""
    (packaged := tmp_path / "packaged").mkdir()
    for version, text in enumerate(["Say hello.\nBe brief.", "Say hello.\nBe kind.", "Say hello.\nBe kind."], 1):
        (packaged / f"greet.v{version}.md").write_text(text)
    (packaged / "part.v1.md").write_text("Say goodbye.")
    monkeypatch.setattr("agent.prompts.resources.files", lambda _: packaged)
    environment = {"SWITCHYARD_DATA_DIR": str(tmp_path / "data")}
    return lambda *arguments: CliRunner().invoke(app, ["prompts", *arguments], env=environment)


def test_a_server_does_not_start_with_a_prompt_that_does_not_exist(run: Run, tmp_path: Path) -> None:
    run("rollback", "greet", "1")
    (tmp_path / "packaged" / "greet.v1.md").unlink()
    result = CliRunner().invoke(app, ["serve", "--port", "0"], env={"SWITCHYARD_DATA_DIR": str(tmp_path / "data")})
    assert result.exit_code == 1
    assert "prompts.json names what is not there: There is no greet.v1" in result.stderr
    assert "switchyard prompts rollback greet VERSION" in result.stderr
    assert result.stderr.count("\n") == 1


def test_list_names_what_is_in_use(run: Run) -> None:
    assert "greet.v3" in run("list").stdout
    run("rollback", "greet", "1")
    shown = run("list").stdout
    assert "greet.v1" in shown
    assert "v1, v2, v3" in shown
    listed = json.loads(run("list", "--json").stdout)
    assert (listed["greet"]["version"], listed["greet"]["versions"]) == (1, [1, 2, 3])
    assert listed["greet"]["text"] == "Say hello.\nBe brief."


def test_rollback_goes_back_and_forward(run: Run, tmp_path: Path) -> None:
    for arguments, said in (
        (["greet"], "greet.v2 is in use after greet.v3."),
        (["greet"], "greet.v3 is in use after greet.v2."),
        (["greet", "v1"], "greet.v1 is in use after greet.v3."),
        (["greet", "1"], "greet.v1 is in use already."),
    ):
        result = run("rollback", *arguments)
        assert (result.exit_code, result.stdout.strip()) == (0, said)
    assert Settings(data_dir=tmp_path / "data").prompt_file.is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rollback", "sing"], "no prompt 'sing'"),
        (["rollback", "greet", "9"], "no greet.v9"),
        (["rollback", "part"], "part.v1 is the only version"),
        (["diff", "sing"], "no prompt 'sing'"),
        (["diff", "greet", "1", "9"], "no greet.v9"),
        (["diff", "part"], "part.v1 is the only version"),
    ],
)
def test_what_does_not_exist_is_one_clear_line(run: Run, tmp_path: Path, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("switchyard: ")
    assert result.stderr.count("\n") == 1
    assert said in result.stderr
    assert not (tmp_path / "data" / "prompts.json").exists()


@pytest.mark.parametrize("version", ["0", "-1", "latest", "v", "1.5"])
def test_what_is_no_version_is_refused(run: Run, version: str) -> None:
    assert run("rollback", "greet", "--", version).exit_code == 2


def test_diff_shows_lines_that_changed(run: Run) -> None:
    assert run("diff", "greet", "1", "v2").stdout.splitlines() == [
        "--- greet.v1",
        "+++ greet.v2",
        "@@ -1,2 +1,2 @@",
        " Say hello.",
        "-Be brief.",
        "+Be kind.",
    ]


def test_diff_compares_what_was_used_before_with_what_is_in_use(run: Run) -> None:
    assert run("diff", "greet").stdout.strip() == "greet.v2 and greet.v3 say the same."
    run("rollback", "greet", "1")
    assert run("diff", "greet").stdout.splitlines()[:2] == ["--- greet.v3", "+++ greet.v1"]
    assert run("diff", "greet", "2").stdout.splitlines()[:2] == ["--- greet.v2", "+++ greet.v1"]
