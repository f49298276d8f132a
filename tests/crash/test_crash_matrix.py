"""A short crash matrix; `make crash` runs the long one."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.crash.scenarios import Matrix
from tests.fakes.endpoint import fake_endpoint
from tests.postgres import Cluster
from tests.server.site import settings_for

KILLS = 10
POSTGRES_KILLS = 5


@pytest.mark.timeout(1200)
def test_nothing_is_lost_or_doubled(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    with fake_endpoint() as endpoint:
        settings = settings_for(tmp_path, endpoint, pytestconfig)
        outcomes = list(Matrix(settings, seed=1).run(0, KILLS))
    assert [outcome.findings.violations for outcome in outcomes] == [[]] * KILLS
    assert sum(outcome.struck for outcome in outcomes) > KILLS / 2
    assert sum(outcome.findings.acknowledged for outcome in outcomes) > KILLS
    assert sum(outcome.findings.taken_over for outcome in outcomes) > 0


@pytest.mark.timeout(1200)
def test_nothing_is_lost_or_doubled_in_postgres(tmp_path: Path, pytestconfig: pytest.Config, postgres: Cluster) -> None:
    with fake_endpoint() as endpoint:
        url = SecretStr(postgres.create())
        settings = settings_for(tmp_path, endpoint, pytestconfig, database_url=url)
        # From the point before a checkpoint on: the saver and the ends of runs.
        outcomes = list(Matrix(settings, seed=1).run(8, POSTGRES_KILLS))
    assert [outcome.findings.violations for outcome in outcomes] == [[]] * POSTGRES_KILLS
    assert sum(outcome.findings.taken_over for outcome in outcomes) > 0
