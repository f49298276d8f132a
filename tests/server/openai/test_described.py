"""What the API's description admits is answered, and what it answers with is described."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.site import QUESTION, Site

_LONGEST = 3


def described(schema: dict[str, Any], document: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a schema of the document, as far as its own schemas go."""
    if "$ref" in schema:
        return described(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    if "anyOf" in schema:
        return st.one_of([described(option, document) for option in schema["anyOf"]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _typed(schema, document)


def _typed(schema: dict[str, Any], document: dict[str, Any]) -> st.SearchStrategy[Any]:
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "string":
            return st.text(max_size=20)
        case "integer":
            return st.integers(schema.get("minimum", -10), 2**70)
        case "number":
            return st.floats(schema["minimum"], schema["maximum"])
        case "array":
            return st.lists(described(schema["items"], document), max_size=_LONGEST)
        case _:
            fields = {name: described(field, document) for name, field in schema["properties"].items()}
            required = {name: fields.pop(name) for name in schema.get("required", [])}
            return st.fixed_dictionaries(required, optional=fields)


@pytest.fixture(scope="module")
def document(site: Site) -> dict[str, Any]:
    return site.http.get(f"{site.url}/openapi.json").json()


def test_every_described_body_has_a_described_answer(site: Site, document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/chat/completions"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]

    @settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
    @given(described(schema, document), st.booleans())
    def answered(body: dict[str, Any], complete: bool) -> None:
        if complete:
            body = {**body, "model": "switchyard", "messages": [*body["messages"], {"role": "user", "content": "Hi?"}]}
        answer = httpx.post(f"{site.url}/v1/chat/completions", json=body, timeout=60, trust_env=False)
        assert answer.status_code in {200, 400, 404}, answer.text
        if answer.headers["content-type"] == "application/json":
            told = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
            jsonschema.validate(answer.json(), {**told, "components": document["components"]})

    answered()


@given(name=st.just("switchyard") | st.text(st.characters(codec="utf-8"), max_size=30))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_of_a_model_is_known_or_not_found(site: Site, name: str) -> None:
    answer = httpx.get(f"{site.url}/v1/models/{quote(name, safe='')}", trust_env=False)
    assert answer.status_code == (200 if name == "switchyard" else 404), answer.text


def test_the_answers_of_the_model_routes_are_described(site: Site, document: dict[str, Any]) -> None:
    for path in ("/v1/models", "/v1/models/{model}"):
        told = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        answer = httpx.get(site.url + path.format(model="switchyard"), trust_env=False)
        jsonschema.validate(answer.json(), {**told, "components": document["components"]})
    body = {"model": "switchyard", "messages": [{"role": "user", "content": QUESTION}]}
    told = document["paths"]["/v1/chat/completions"]["post"]["responses"]["200"]["content"]
    answer = httpx.post(f"{site.url}/v1/chat/completions", json=body, timeout=60, trust_env=False)
    jsonschema.validate(answer.json(), {**told["application/json"]["schema"], "components": document["components"]})
    assert "text/event-stream" in told
