"""The documented examples and the edges of every parameter; `python -m tests.reliability contract` does more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.contract import FIELDS, call_all
from tests.reliability.stage import stage
from tests.server.site import cache_folder

# Their bodies are those of other operations, whose edges are tried.
LEFT_OUT = (
    *("/runs", "/runs/wait", "/threads/{thread_id}/runs/stream", "/threads/{thread_id}/runs/wait"),
    "/api/v1/documents/batch",
)


@pytest.mark.timeout(600)
def test_the_server_keeps_to_its_description(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    with stage(tmp_path, cache=cache_folder(pytestconfig), **FIELDS) as server:
        found = call_all(server, tmp_path, phases=("examples", "coverage"), seed=1, examples=10, without=LEFT_OUT)
    assert found["broken"] == []
    assert found["operations"] > 55
    assert set(found["calls_by_phase"]) == {"examples", "coverage"}
    assert {"200", "401", "404", "405", "422"} <= found["answers_by_status"].keys()
