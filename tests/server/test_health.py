"""Health and readiness."""

from __future__ import annotations

import httpx
import pytest

from server.app import create_app
from tests.fakes.background import listening
from tests.fakes.endpoint import FakeEndpoint
from tests.server.site import Site, settings_for


def test_health_tells_the_state_of_each_part(site: Site) -> None:
    health = site.http.get("/health").json()
    assert health["status"] == "ready"
    assert health["chunks"] >= 3
    assert health["memory_mb"] > 0
    assert set(health["roles"]) == {"answer", "extract", "fraud", "judge"}
    assert health["roles"]["answer"]["endpoint"] == "fake"
    assert health["roles"]["answer"]["model"] == "fake-answer"
    assert site.http.get(f"{site.url}/health").json().keys() == health.keys()


def test_probes(site: Site) -> None:
    assert site.http.get(f"{site.url}/livez").status_code == 200
    assert site.http.get(f"{site.url}/readyz").status_code == 200


def test_not_ready_before_the_samples_are_indexed(
    fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> None:
    settings = settings_for(tmp_path_factory.mktemp("starting"), fake, pytestconfig)
    with listening(create_app(settings)) as url:
        assert httpx.get(f"{url}/livez", trust_env=False).status_code == 200
        answer = httpx.get(f"{url}/readyz", trust_env=False)
        assert (answer.status_code, answer.json()) == (503, {"status": "starting"})
        assert httpx.get(f"{url}/health", trust_env=False).json()["status"] == "starting"
