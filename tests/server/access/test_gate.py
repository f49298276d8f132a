"""The gate before all three protocols: no key, no way; the wrong scope, no way; no declaration, no way."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from agent.settings import Settings
from server.access.rules import RouteRules, needs
from server.access.scopes import SCOPES
from server.app import create_app
from tests.fakes.background import listening
from tests.fakes.endpoint import FakeEndpoint
from tests.server.errors import assert_protocol_error
from tests.server.keyed import Keyed, make_key, with_store
from tests.server.site import settings_for

PROTOCOLS = ["/api/v1/threads", "/v1/models", "/threads/x", "/assistants/switchyard"]
OPEN = {"/", "/ui", "/health", "/livez", "/readyz", "/api/v1/health", "/api/v1/livez", "/api/v1/readyz", "/ok"}
ANY_KEY = {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}


@pytest.fixture(scope="module")
def rules() -> RouteRules:
    return RouteRules(create_app(Settings()))


def every_request() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Method, path and the scopes of which one is needed, of every route that asks for a key."""
    for route in RouteRules(create_app(Settings())).routes:
        assert route.rule is not None, route.path
        if route.rule.open:
            continue
        path = re.sub(r"\{[^}]+\}", "x", route.path)
        wanted = route.rule.scopes[0] if route.rule.scopes else frozenset[str]()
        yield from ((method, path, wanted) for method in sorted(route.methods))


REQUESTS = sorted(every_request(), key=lambda request: request[:2])


def test_every_route_says_who_may_call_it(rules: RouteRules) -> None:
    assert [route.path for route in rules.routes if route.rule is None] == []
    assert len(rules.routes) > 60
    assert {route.path for route in rules.routes if route.rule and route.rule.open} == OPEN
    assert {r.path for r in rules.routes if r.rule and not r.rule.open and not r.rule.scopes} == ANY_KEY


def test_no_route_is_hidden_by_another_with_a_weaker_rule(rules: RouteRules) -> None:
    for route in rules.routes:
        for method in route.methods:
            found = rules.find(method, re.sub(r"\{[^}]+\}", "x", route.path))
            assert found is not None
            assert found.rule == route.rule, (method, route.path, found.path)


def test_documents_are_changed_with_their_scope_and_read_with_either(rules: RouteRules) -> None:
    for route in rules.routes:
        if route.path.startswith("/api/v1/documents") and route.rule:
            wanted = {"chat", "documents"} if route.methods == {"GET"} else {"documents"}
            assert route.rule.scopes == (wanted,), route.path


@pytest.mark.parametrize(("method", "path", "_wanted"), REQUESTS)
def test_without_a_key_nothing_is_answered(keyed: Keyed, method: str, path: str, _wanted: frozenset[str]) -> None:
    answer = keyed.request(None, method, path, content=b"{not json")
    if method == "HEAD":
        assert answer.status_code == 401
    else:
        assert_protocol_error(answer, 401, "missing_key")


@pytest.mark.parametrize(("method", "path", "wanted"), [each for each in REQUESTS if each[2]])
def test_a_key_with_the_other_scopes_only_is_refused(
    keyed: Keyed, method: str, path: str, wanted: frozenset[str]
) -> None:
    for scope in SCOPES:
        answer = keyed.request(scope, method, path, content=b"{not json")
        if scope in wanted:
            assert answer.status_code not in {401, 403}, answer.text
        else:
            assert_protocol_error(answer, 403, "missing_scope")


@pytest.mark.parametrize("path", [*sorted(OPEN - {"/ui"}), "/ui/js/main.js", "/ui/app.css"])
def test_the_page_and_the_probes_are_open(keyed: Keyed, path: str) -> None:
    for key in (None, "chat", "swy_0_no", "bob"):
        assert keyed.request(key, "GET", path).status_code == 200, key


@pytest.mark.parametrize("path", ["/health", "/api/v1/health"])
def test_health_tells_strangers_only_whether_all_is_well(keyed: Keyed, path: str) -> None:
    assert keyed.request(None, "GET", path).json() == {"status": "ready"}
    assert keyed.request("swy_0_no", "GET", path).json() == {"status": "ready"}
    told = keyed.request("ann", "GET", path).json()
    assert (told["chunks"], set(told)) == (3, set(told) | {"roles", "version", "memory_mb"})
    assert keyed.request("bob", "GET", path).json()["chunks"] == 0


@pytest.mark.parametrize("path", PROTOCOLS)
def test_every_header_that_clients_use_works(keyed: Keyed, path: str) -> None:
    key = keyed.keys["ann"]
    served = keyed.request(None, "GET", path, headers={"X-Api-Key": key}).status_code
    assert served == keyed.request("ann", "GET", path).status_code
    assert served in {200, 404}
    proxied = {"Authorization": "Basic dTpw", "X-Api-Key": key}
    assert keyed.request(None, "GET", path, headers=proxied).status_code == served


@pytest.mark.parametrize("path", PROTOCOLS)
def test_what_is_no_key_is_refused(keyed: Keyed, path: str) -> None:
    for token in ("sk-1234", keyed.keys["ann"][:-1], keyed.keys["ann"] + "x", keyed.keys["ann"].upper()):
        assert_protocol_error(keyed.request(token, "GET", path), 401, "invalid_key")
    two = keyed.request("ann", "GET", path, headers={"X-Api-Key": keyed.keys["bob"]})
    assert_protocol_error(two, 401, "ambiguous_key")
    in_the_address = keyed.request(None, "GET", f"{path}?api_key={keyed.keys['ann']}")
    assert_protocol_error(in_the_address, 401, "missing_key")
    as_a_cookie = keyed.request(None, "GET", path, headers={"Cookie": f"api_key={keyed.keys['ann']}"})
    assert_protocol_error(as_a_cookie, 401, "missing_key")


def test_addresses_that_there_are_not_tell_strangers_nothing(keyed: Keyed) -> None:
    for path in ("/api/v1/nothing", "/v1/nothing", "/threads/x/nothing", "/nothing", "/metrics/x", "/api/v1"):
        assert_protocol_error(keyed.request(None, "GET", path), 401, "missing_key")
        assert_protocol_error(keyed.request("ann", "GET", path), 404, "not_found")


@pytest.mark.parametrize("path", ["/api/v1/chat", "/v1/chat/completions", "/threads/search"])
def test_a_method_that_there_is_not_names_those_that_there_are(keyed: Keyed, path: str) -> None:
    assert_protocol_error(keyed.request(None, "PUT", path), 401, "missing_key")
    answer = keyed.request("ann", "PUT", path)
    assert_protocol_error(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    "path", ["/api/v1//threads", "//api/v1/threads", "/API/v1/threads", "/api/v1/threads/", "/ui/../api/v1/threads"]
)
def test_other_spellings_of_an_address_are_no_way_around(keyed: Keyed, path: str) -> None:
    assert keyed.request(None, "GET", path).status_code in {401, 404}
    assert keyed.request("documents", "GET", path).status_code in {401, 403, 404}


def test_a_key_that_is_made_works_and_one_that_is_revoked_stops_at_once(keyed: Keyed) -> None:
    key = keyed.make("carol", "chat")
    for path in ("/api/v1/threads", "/v1/models", "/assistants/switchyard"):
        assert keyed.request(key, "GET", path).status_code == 200
    with_store(keyed.site.settings, lambda store: store.revoke(key.split("_")[1]))
    for path in ("/api/v1/threads", "/v1/models", "/assistants/switchyard"):
        assert_protocol_error(keyed.request(key, "GET", path), 401, "invalid_key")


def test_a_rotated_key_works_as_long_as_was_said(keyed: Keyed) -> None:
    old = keyed.make("carol", "chat")
    new = with_store(keyed.site.settings, lambda store: store.rotate(old.split("_")[1], 3600)).text
    assert [keyed.request(key, "GET", "/v1/models").status_code for key in (old, new)] == [200, 200]
    newest = with_store(keyed.site.settings, lambda store: store.rotate(old.split("_")[1])).text
    assert [keyed.request(key, "GET", "/v1/models").status_code for key in (old, new, newest)] == [401, 401, 200]


def test_an_expired_key_is_refused(keyed: Keyed) -> None:
    key = keyed.make("carol", "chat", lifetime_s=-1)
    assert_protocol_error(keyed.request(key, "GET", "/v1/models"), 401, "invalid_key")


def test_a_route_that_says_nothing_is_closed_to_everybody(
    fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> None:
    called: list[str] = []

    def forgotten() -> None:
        called.append("forgotten")

    def remembered() -> None:
        called.append("remembered")

    def broken() -> None:
        raise RuntimeError("secret words")

    for auth in ("off", "keys"):
        settings = settings_for(tmp_path_factory.mktemp(auth), fake, pytestconfig, auth=auth)
        headers = {"X-Api-Key": make_key(settings, "ann", *SCOPES)}
        app: FastAPI = create_app(settings)
        app.add_api_route("/api/v1/forgotten", forgotten)
        app.add_api_route("/api/v1/remembered", remembered, dependencies=[needs("admin")])
        for path in ("/api/v1/broken", "/v1/broken", "/threads/x/y/broken"):
            app.add_api_route(path, broken, dependencies=[needs("chat")])
        with listening(app) as url:
            get = httpx.Client(base_url=url, headers=headers, trust_env=False).get
            assert_protocol_error(get("/api/v1/forgotten"), 403, "forbidden")
            assert get("/api/v1/remembered").status_code == 200
            for path in ("/api/v1/broken", "/v1/broken", "/threads/x/y/broken"):
                answer = get(path)
                assert_protocol_error(answer, 500, "internal_error")
                assert "secret words" not in answer.text
    assert called == ["remembered", "remembered"]


def test_keys_are_in_no_log(keyed: Keyed, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    keyed.request("ann", "GET", "/api/v1/threads")
    keyed.request("sk-not-a-key-of-ours", "GET", "/api/v1/threads")
    assert keyed.keys["ann"] not in caplog.text
    assert "sk-not-a-key-of-ours" not in caplog.text


def test_the_description_tells_of_the_key(keyed: Keyed) -> None:
    openapi = keyed.request("chat", "GET", "/openapi.json").json()
    assert openapi["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert {"key": []} in openapi["paths"]["/api/v1/chat"]["post"]["security"]
