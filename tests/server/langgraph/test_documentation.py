"""The example of the documentation works as it stands, but for the server's address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.server.site import Site

DOCUMENT = Path(__file__).parents[3] / "docs" / "langgraph.md"


def test_the_python_example(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    [code] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    exec(code.replace("http://localhost:8000", site.url), {})
    *events, answer = capsys.readouterr().out.splitlines()
    assert (events[0], events[-1]) == ("metadata", "end")
    assert answer.endswith("[1]")
