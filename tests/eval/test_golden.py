"""The quick golden cases through the real graph: the check that keeps a change from making the answers worse."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.settings import Settings
from eval.cases import load_cases
from eval.gate import check, load_baseline
from server.cli.evaluate import evaluate_graph


@pytest.mark.model
@pytest.mark.timeout(900)
async def test_the_quick_cases_keep_to_their_limits(tmp_path: Path) -> None:
    result = await evaluate_graph(Settings(data_dir=tmp_path), load_cases(quick=True), quick=True)
    below = [verdict for verdict in check(result, load_baseline()) if not verdict.passed]
    fell_short = {outcome.id: outcome.notes for outcome in result.failures}
    assert not below, fell_short
