"""The examples of the documentation work as they stand, but for the server's address."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from tests.server.site import Site

ROOT = Path(__file__).parents[3]


def example(document: str, pattern: str) -> str:
    """The one passage of a document that fits."""
    (found,) = re.findall(pattern, (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)
    return found


def test_the_python_example(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    code = example("docs/openai.md", r"```python\n(.*?)```")
    exec(code.replace("http://localhost:8000", site.url), {})
    answer, citation = capsys.readouterr().out.splitlines()
    assert answer.endswith("[1]")
    assert citation.startswith("1 Debit cards ")


def test_the_curl_example(site: Site) -> None:
    body = example("README.md", r"curl localhost:8000/v1/chat/completions [^\n]*\n  -d '(.*?)'")
    answer = httpx.post(f"{site.url}/v1/chat/completions", json=json.loads(body), timeout=60, trust_env=False)
    assert answer.status_code == 200
    assert answer.json()["switchyard"]["route"] in {"knowledge", "unknown"}


def test_every_field_of_switchyard_is_named(site: Site) -> None:
    body = {"model": "switchyard", "messages": [{"role": "user", "content": "Who approves it?"}]}
    answer = httpx.post(f"{site.url}/v1/chat/completions", json=body, timeout=60, trust_env=False)
    listed = example("docs/openai.md", r"in the field `switchyard`: (.*?)\.")
    assert set(re.findall(r"`(\w+)`", listed)) == set(answer.json()["switchyard"])
