"""The measurements run, on few passages: figures of every search, and none of the filters finds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.knowledge_bench.search import search_latency


def test_every_search_is_measured(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.knowledge_bench.search._QUERIES", 20)
    figures = search_latency(Path(pytestconfig.cache.mkdir("switchyard")), 400)
    assert figures["passages"] == 400
    for name in ("owner", "documents", "metadata"):
        assert 0 < float(figures[f"{name}_p50_ms"]) <= float(figures[f"{name}_p95_ms"])
