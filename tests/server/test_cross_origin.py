"""Pages of other sites: shut out, but for the origins that are listed; and the names that the server answers to."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.endpoint import FakeEndpoint
from tests.server.errors import assert_protocol_error
from tests.server.keyed import Keyed, open_keyed
from tests.server.site import QUESTION, Site, settings_for

CHAT_UI = "https://chat.example"
ASKED = {"assistant_id": "switchyard", "input": {"messages": [{"role": "user", "content": QUESTION}]}}
PATHS = ["/api/v1/threads", "/v1/models", "/threads/search", "/nothing"]


@pytest.fixture(scope="module")
def open_to_a_page(
    _fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Keyed]:
    """A server with keys that the page at `CHAT_UI` may use, called `switchyard.example`."""
    chosen = {"auth": "keys", "cors_origins": (CHAT_UI,), "allowed_hosts": ("switchyard.example",)}
    with open_keyed(settings_for(tmp_path_factory.mktemp("cors"), _fake, pytestconfig, **chosen)) as opened:
        yield opened


def preflight(
    keyed: Keyed, path: str, origin: str = CHAT_UI, headers: str = "x-api-key, content-type"
) -> httpx.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": headers,
    }
    return keyed.request(None, "OPTIONS", path, headers=asked)


@pytest.mark.parametrize("path", PATHS)
def test_a_listed_page_may_ask_without_a_key_whether_it_may(open_to_a_page: Keyed, path: str) -> None:
    answer = preflight(open_to_a_page, path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == CHAT_UI
    assert answer.headers["access-control-allow-headers"] == "x-api-key, content-type"
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://chat.example", "https://chat.example:444", "https://a.chat.example", "null"],
)
@pytest.mark.parametrize("path", PATHS)
def test_another_page_may_not(open_to_a_page: Keyed, path: str, origin: str) -> None:
    answer = preflight(open_to_a_page, path, origin)
    assert_protocol_error(answer, 401, "missing_key")
    write = open_to_a_page.request("ann", "POST", path, json={}, headers={"Origin": origin})
    assert_protocol_error(write, 403, "cross_origin")
    read = open_to_a_page.request("ann", "GET", path, headers={"Origin": origin})
    for refused in (answer, write, read):
        assert "access-control-allow-origin" not in refused.headers


def test_header_names_that_are_none_are_not_repeated(open_to_a_page: Keyed) -> None:
    assert "access-control-allow-headers" not in preflight(open_to_a_page, "/threads", headers="x;<y>").headers


def test_a_listed_page_can_stream_and_read_where_the_run_is(open_to_a_page: Keyed) -> None:
    headers = {"Origin": CHAT_UI}
    thread = open_to_a_page.request("ann", "POST", "/threads", json={}, headers=headers).json()["thread_id"]
    path = f"/threads/{thread}/runs/stream"
    answer = open_to_a_page.request("ann", "POST", path, json=ASKED, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == CHAT_UI
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert {"Content-Location", "Location", "X-Trace-Id", "Retry-After"} <= exposed
    assert answer.headers["content-location"].startswith(f"/threads/{thread}/runs/")
    assert "event: end" in answer.text


def test_a_listed_page_can_read_errors(open_to_a_page: Keyed) -> None:
    limited = open_to_a_page.make("dave", "documents", requests_per_minute=2)
    told = [
        open_to_a_page.request(key, "GET", "/v1/models", headers={"Origin": CHAT_UI})
        for key in (None, limited, limited, limited)
    ]
    assert [answer.status_code for answer in told] == [401, 403, 403, 429]
    assert {answer.headers["access-control-allow-origin"] for answer in told} == {CHAT_UI}


@pytest.mark.parametrize("path", PATHS)
def test_without_a_list_no_page_may_even_ask(keyed: Keyed, site: Site, path: str) -> None:
    answer = preflight(keyed, path)
    assert_protocol_error(answer, 401, "missing_key")
    local = httpx.options(
        site.url + path,
        headers={"Origin": CHAT_UI, "Access-Control-Request-Method": "POST"},
        trust_env=False,
    )
    assert local.status_code in {404, 405}
    for refused in (answer, local):
        assert not [name for name in refused.headers if name.startswith("access-control")]


def test_the_names_of_the_server(open_to_a_page: Keyed) -> None:
    def status(host: str, path: str = "/api/v1/threads") -> int:
        return open_to_a_page.request("ann", "GET", path, headers={"Host": host}).status_code

    assert [status(host) for host in ("switchyard.example", "SWITCHYARD.example:443", "localhost")] == [200] * 3
    for host in ("evil.example", "a.switchyard.example", "switchyard.example.evil.example", "10.1.2.3", ""):
        answer = open_to_a_page.request("ann", "GET", "/api/v1/threads", headers={"Host": host})
        assert_protocol_error(answer, 400, "invalid_host")
        assert status(host, "/") == 400


def test_probes_are_answered_by_any_name(open_to_a_page: Keyed) -> None:
    for path in ("/livez", "/readyz"):
        assert open_to_a_page.request(None, "GET", path, headers={"Host": "10.1.2.3:8000"}).status_code == 200


def test_the_page_itself_writes_behind_a_proxy_with_tls(open_to_a_page: Keyed) -> None:
    headers = {"Host": "switchyard.example", "Origin": "https://switchyard.example"}
    body = {"message": QUESTION, "stream": False}
    assert open_to_a_page.request("ann", "POST", "/api/v1/chat", json=body, headers=headers).status_code == 200
