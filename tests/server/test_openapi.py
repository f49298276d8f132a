"""The API's description: valid, complete, with examples that the API itself accepts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import jsonschema
import pytest
from jsonschema import Draft202012Validator

from tests.server.site import Site

METHODS = {"get", "post", "put", "patch", "delete"}
PROBES = {"/health", "/livez", "/readyz"}
NATIVE_ERRORS = (("400", "404", "413", "422", "500", "503"), "ErrorBody")
OPENAI_ERRORS = (("400", "404", "413", "500", "503", "default"), "OpenAIErrorBody")
LANGGRAPH_ERRORS = (("400", "404", "409", "413", "422", "500", "503"), "LangGraphErrorBody")


@pytest.fixture(scope="module")
def openapi(site: Site) -> dict[str, Any]:
    return site.http.get(f"{site.url}/openapi.json").json()


def operations(openapi: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in openapi["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def resolved(openapi: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that stands alone: its references lead into the document's components."""
    return {**schema, "components": openapi["components"]}


def test_the_contract_s_operations_are_there(openapi: dict[str, Any]) -> None:
    found = {f"{method.upper()} {path}" for path, method, _ in operations(openapi)}
    expected = """
        POST /api/v1/chat
        GET /api/v1/runs/{run_id}
        GET /api/v1/runs/{run_id}/events
        POST /api/v1/runs/{run_id}/cancel
        GET /api/v1/threads
        GET /api/v1/threads/{thread_id}
        DELETE /api/v1/threads/{thread_id}
        POST /api/v1/documents
        POST /api/v1/documents/batch
        GET /api/v1/documents
        GET /api/v1/documents/{document_id}
        DELETE /api/v1/documents/{document_id}
        POST /api/v1/search
        POST /api/v1/extract
        GET /api/v1/extract/corrections
        POST /api/v1/extract/corrections
        POST /api/v1/fraud/score
        POST /api/v1/feedback
        GET /api/v1/reviews
        GET /api/v1/reviews/{run_id}
        POST /api/v1/reviews/{run_id}
        GET /api/v1/health
        GET /health
        GET /livez
        GET /readyz
        GET /v1/models
        GET /v1/models/{model}
        POST /v1/chat/completions
    """
    assert {line.strip() for line in expected.strip().splitlines()} <= found


def expected_errors(path: str) -> tuple[Sequence[str], str]:
    """The error statuses that an operation tells of, and the schema of their bodies."""
    if path.startswith("/v1/"):
        return OPENAI_ERRORS
    return NATIVE_ERRORS if path.startswith("/api/v1/") else LANGGRAPH_ERRORS


def test_every_operation_is_described_with_its_errors(openapi: dict[str, Any]) -> None:
    assert openapi["openapi"].startswith("3.1")
    identifiers = [operation["operationId"] for _, _, operation in operations(openapi)]
    assert len(set(identifiers)) == len(identifiers)
    for path, method, operation in operations(openapi):
        name = f"{method} {path}"
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"], name
        if path in PROBES:
            continue
        statuses, shape = expected_errors(path)
        for status in statuses:
            schema = operation["responses"][status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": f"#/components/schemas/{shape}"} or path.endswith("readyz"), (name, status)


def test_streams_are_described_as_their_events(openapi: dict[str, Any]) -> None:
    streams: dict[str, Any] = {}
    for path, method, operation in operations(openapi):
        if "text/event-stream" in (content := operation["responses"].get("200", {}).get("content", {})):
            streams[f"{method} {path}"] = content["text/event-stream"]
    assert set(streams) == {
        "post /api/v1/chat",
        "get /api/v1/runs/{run_id}/events",
        "post /v1/chat/completions",
        "post /threads/{thread_id}/runs/stream",
        "get /threads/{thread_id}/runs/{run_id}/stream",
        "post /runs/stream",
        "get /runs/{run_id}/stream",
    }
    for stream in streams.values():
        jsonschema.validate(stream["example"], stream["schema"])


def test_only_routes_that_ask_for_a_key_say_so(openapi: dict[str, Any]) -> None:
    no_key = {path for path, _, operation in operations(openapi) if not operation.get("security")}
    assert no_key == {"/health", "/livez", "/readyz", "/ok", *(f"/api/v1{path}" for path in PROBES)}


def test_every_schema_is_valid(openapi: dict[str, Any]) -> None:
    for name, schema in openapi["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert resolved(openapi, schema), name


def test_every_reference_leads_somewhere(openapi: dict[str, Any]) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in set(references(openapi)):
        node: Any = openapi
        for part in reference.removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]


def example_body(openapi: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any] | None:
    """A body made of the examples of its schema's fields."""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    body = {name: field["examples"][0] for name, field in schema["properties"].items() if field.get("examples")}
    return body if set(schema.get("required", [])) <= body.keys() else None


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/chat",
        "/api/v1/search",
        "/api/v1/extract",
        "/api/v1/extract/corrections",
        "/api/v1/documents",
        "/api/v1/fraud/score",
        "/v1/chat/completions",
    ],
)
def test_the_examples_are_accepted(site: Site, openapi: dict[str, Any], path: str) -> None:
    operation = openapi["paths"][path]["post"]
    body = example_body(openapi, operation)
    assert body, f"{path} has no complete example"
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.validate(body, resolved(openapi, schema))
    answer = site.http.post(f"{site.url}{path}", json=body)
    assert answer.is_success, answer.text
    if path.endswith("/documents"):
        assert site.http.delete(f"/documents/{answer.json()['document_id']}").status_code == 204


def test_answers_fit_their_schemas(site: Site, openapi: dict[str, Any], http: httpx.Client) -> None:
    run_id = site.chat(thread_id="described")["run_id"]
    answers = {
        "/api/v1/runs/{run_id}": http.get(f"/runs/{run_id}"),
        "/api/v1/threads": http.get("/threads"),
        "/api/v1/threads/{thread_id}": http.get("/threads/described"),
        "/api/v1/documents": http.get("/documents"),
        "/api/v1/extract/corrections": http.get("/extract/corrections"),
        "/api/v1/documents/{document_id}": http.get("/documents/disputes"),
        "/api/v1/health": http.get("/health"),
    }
    for path, answer in answers.items():
        content = openapi["paths"][path]["get"]["responses"]["200"]["content"]
        jsonschema.validate(answer.json(), resolved(openapi, content["application/json"]["schema"]))
    chat = openapi["paths"]["/api/v1/chat"]["post"]["responses"]["200"]["content"]
    jsonschema.validate(site.chat(), resolved(openapi, chat["application/json"]["schema"]))
    assert "text/event-stream" in chat
    error = openapi["components"]["schemas"]["ErrorBody"]
    jsonschema.validate(http.get("/nothing").json(), resolved(openapi, error))
