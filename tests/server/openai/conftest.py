"""The official client, talking to the real application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI

from tests.server.site import Site


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[OpenAI]:
    """OpenAI's client; it repeats nothing, so that every error is seen."""
    with OpenAI(base_url=f"{site.url}/v1", api_key="anything", max_retries=0) as opened:
        yield opened
