"""The official Python client on the real server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from tests.server.site import Site


@pytest.fixture
async def client(site: Site) -> AsyncIterator[LangGraphClient]:
    """Unmodified, and without a key."""
    opened = get_client(url=site.url, api_key=None)
    yield opened
    await opened.http.client.aclose()
