"""Which keys a request's headers hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from server.access.callers import AuthenticationError, Credentials
from server.access.credentials import presented_tokens

TOKENS = st.text("abcXYZ019-_.", min_size=1, max_size=40)


def presented(*headers: tuple[str, str]) -> frozenset[str]:
    return presented_tokens(Headers(raw=[(name.encode(), value.encode()) for name, value in headers]))


@pytest.mark.parametrize(
    ("headers", "tokens"),
    [
        ((), set()),
        ((("authorization", "Bearer k"),), {"k"}),
        ((("authorization", "bearer  k "),), {"k"}),
        ((("x-api-key", " k "),), {"k"}),
        ((("x-api-key", "k"), ("authorization", "Bearer k")), {"k"}),
        ((("x-api-key", "k"), ("authorization", "Basic dTpw")), {"k"}),
        ((("authorization", "Basic dTpw"),), set()),
        ((("authorization", "Bearer"),), set()),
        ((("authorization", "k"),), set()),
        ((("x-api-key", ""),), set()),
        ((("x-api-key", "k"), ("authorization", "Bearer l")), {"k", "l"}),
        ((("authorization", "Bearer k"), ("authorization", "Bearer l")), {"k", "l"}),
        ((("cookie", "key=k"), ("x-owner", "ann"), ("x-forwarded-user", "ann")), set()),
    ],
)
def test_bearer_and_x_api_key_count(headers: tuple[tuple[str, str], ...], tokens: set[str]) -> None:
    assert presented(*headers) == tokens


@given(TOKENS, TOKENS)
def test_two_keys_that_differ_are_never_chosen_from(first: str, second: str) -> None:
    tokens = presented(("authorization", f"Bearer {first}"), ("x-api-key", second))
    if first == second:
        assert Credentials(tokens, None).token == first
    else:
        with pytest.raises(AuthenticationError) as caught:
            _ = Credentials(tokens, None).token
        assert caught.value.code == "ambiguous_key"
