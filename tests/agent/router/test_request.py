from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.router.request import request_without_record

RECORD = '{"id": "T-9", "amount": 12.5, "card": {"last4": "1234"}}'


@pytest.mark.parametrize(
    ("text", "request_words"),
    [
        (f"Turn this payment into fields: {RECORD}", "Turn this payment into fields:"),
        (f"{RECORD}\n\nIs that one suspicious?", "Is that one suspicious?"),
        (f"Please score the batch [{RECORD}, {RECORD}] by tonight", "Please score the batch by tonight"),
        (f"fraud? {RECORD}", None),
        (RECORD, None),
        ("What does code {R10} mean for us?", None),
        ("How long is the dispute window?", None),
        ("", None),
    ],
)
def test_the_request_is_what_stands_around_a_record(text: str, request_words: str | None) -> None:
    assert request_without_record(text) == request_words


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    request = request_without_record(text)
    assert request is None or len(request) < len(text)
