"""The key in a request's headers: `Authorization: Bearer` (OpenAI's clients) or `X-Api-Key` (LangGraph's)."""

from __future__ import annotations

from starlette.datastructures import Headers


def presented_tokens(headers: Headers) -> frozenset[str]:
    """The keys or tokens that the headers hold. Other schemes, such as a proxy's own `Basic`, do not count."""
    tokens = {value.strip() for value in headers.getlist("x-api-key")}
    for value in headers.getlist("authorization"):
        scheme, _, token = value.strip().partition(" ")
        if scheme.lower() == "bearer":
            tokens.add(token.strip())
    return frozenset(tokens - {""})
