"""`switchyard serve` says in a line what keeps it from starting."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from server.cli.main import app


def test_a_database_out_of_reach_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    given = {
        "SWITCHYARD_DATA_DIR": str(tmp_path),
        "SWITCHYARD_DATABASE_URL": "postgresql://ann:secret@127.0.0.1:9/none",
    }
    result = CliRunner().invoke(app, ["serve", "--port", "0"], env=given)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "SWITCHYARD_DATABASE_URL" in result.stderr
    assert "secret" not in result.stderr
