from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from server.db.engine import open_database
from server.db.schema import NEWEST

_MIGRATIONS = Path(__file__).parents[3] / "server" / "db" / "migrations"
_OPEN = """
import sys
from pathlib import Path
from server.db.engine import open_database
open_database(Path(sys.argv[1])).close()
print("alembic" in sys.modules)
"""


def test_the_newest_revision_is_alembics_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]


def test_alembic_is_loaded_only_for_a_schema_that_is_not_the_newest(tmp_path: Path) -> None:
    def opened() -> str:
        command = [sys.executable, "-c", _OPEN, str(tmp_path / "app.db")]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert opened() == "True"
    assert opened() == "False"


def test_a_database_at_the_newest_revision_is_left_as_it_is(tmp_path: Path) -> None:
    open_database(tmp_path / "app.db").close()
    before = (tmp_path / "app.db").read_bytes()
    open_database(tmp_path / "app.db").close()
    assert (tmp_path / "app.db").read_bytes() == before
