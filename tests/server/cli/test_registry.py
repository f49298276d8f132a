from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from server.cli.main import app
from server.cli.registry import COMMANDS

_HEAVY = ("fastapi", "langgraph", "langchain_core", "sklearn", "onnxruntime", "qdrant_edge", "xllamacpp", "sqlalchemy")


def test_help_lists_every_command_without_loading_one() -> None:
    code = (
        "import sys; from server.cli.main import app\n"
        "try: app(['--help'])\n"
        f"finally: print('loaded:', [name for name in {_HEAVY} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "loaded: []" in shown
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize(
    "name", ["ask", "ingest", "search", "extract", "score", "models", "prompts", "keys", "audit", "doctor"]
)
def test_every_command_teaches_by_example(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"switchyard {name} " in result.output.replace("\n", " ")
    assert "Example" in result.output


def test_a_typo_is_answered_with_a_suggestion() -> None:
    result = CliRunner().invoke(app, ["serach", "x"])
    assert result.exit_code == 2
    assert "search" in result.stderr


def test_no_arguments_show_the_help() -> None:
    assert "doctor" in CliRunner().invoke(app, []).output
