"""What every request passes: hosts, origins, headers, unknown paths, the page and its files."""

from __future__ import annotations

import httpx
import pytest

from tests.server.errors import assert_error
from tests.server.site import QUESTION, Site

BODY = {"message": QUESTION, "stream": False}
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost.evil.example", "http://[", "http://127.0.0.1:1", ""]
)
def test_writes_from_other_sites_are_refused(site: Site, origin: str) -> None:
    before = site.rows("SELECT count(*) AS n FROM runs")
    assert_error(site.http.post("/chat", json=BODY, headers={"Origin": origin}), 403, "cross_origin")
    assert_error(site.http.delete("/documents/disputes", headers={"Origin": origin}), 403, "cross_origin")
    assert site.rows("SELECT count(*) AS n FROM runs") == before
    assert site.http.get("/documents/disputes").status_code == 200


def test_the_page_s_own_writes_pass(site: Site) -> None:
    assert site.http.post("/chat", json=BODY, headers={"Origin": site.url}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "[", "", "localhost@x"]
)
def test_other_host_names_are_refused(site: Site, host: str) -> None:
    assert_error(site.http.get("/threads", headers={"Host": host}), 400, "invalid_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "[::1]"])
def test_names_of_this_machine_pass(site: Site, host: str) -> None:
    assert site.http.get("/threads", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/ui/js/main.js", "/api/v1/threads", "/readyz", "/api/v1/nothing", "/nothing"])
def test_every_answer_carries_the_security_headers(site: Site, path: str) -> None:
    answer = site.http.get(f"{site.url}{path}")
    assert HEADERS.items() <= answer.headers.items()
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_page_and_its_files_are_served(site: Site) -> None:
    page = site.http.get(site.url + "/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-cache"
    script = site.http.get(site.url + "/ui/js/main.js")
    assert (script.status_code, script.headers["content-type"].split(";")[0]) == (200, "text/javascript")
    assert site.http.get(site.url + "/ui/app.css").headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    "path", ["/ui/../app.py", "/ui/%2e%2e/app.py", "/ui/..%2f..%2fpyproject.toml", "/ui//etc/passwd"]
)
def test_files_beside_the_page_are_not_served(site: Site, path: str) -> None:
    assert site.http.get(site.url + path).status_code in {404, 405}


def test_unknown_paths_and_methods(http: httpx.Client) -> None:
    assert_error(http.get("/nothing"), 404, "not_found")
    assert_error(http.put("/chat", json=BODY), 405, "method_not_allowed")
    assert_error(http.get("/chat"), 405, "method_not_allowed")


def test_no_cross_origin_reading_is_allowed(http: httpx.Client) -> None:
    answer = http.get("/threads", headers={"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
