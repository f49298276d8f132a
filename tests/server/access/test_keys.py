"""Keys: their form, their hashes, and texts that are none."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.access.keys import ApiKey, key_id_of

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
KEYS = st.builds(
    ApiKey,
    st.text("0123456789abcdef", min_size=12, max_size=12),
    st.text(ALPHABET, min_size=43, max_size=43),
)


@given(KEYS)
def test_a_key_is_read_as_it_is_written(key: ApiKey) -> None:
    assert ApiKey.parse(key.text) == key
    assert key_id_of(key.text) == key_id_of(key.key_id) == key.key_id


@given(st.text() | st.builds(lambda key, tail: key.text + tail, KEYS, st.text(min_size=1)))
def test_a_text_that_is_no_key_is_none(text: str) -> None:
    assert ApiKey.parse(text) is None


@given(KEYS, KEYS)
def test_only_the_key_itself_fits_its_hash(key: ApiKey, other: ApiKey) -> None:
    assert key.is_hashed_as(hashlib.sha256(key.text.encode()).hexdigest())
    assert key.is_hashed_as(other.sha256) == (key == other)


@pytest.mark.parametrize("cut", [1, 10, 43])
def test_a_key_that_lost_its_end_is_none(cut: int) -> None:
    assert ApiKey.parse(ApiKey.new().text[:-cut]) is None


@pytest.mark.parametrize("text", ["", "swy__", "SWY_0123456789ab_" + "x" * 43, "swy_0123456789ab_" + "é" * 43])
def test_look_alikes_are_none(text: str) -> None:
    assert ApiKey.parse(text) is None
    assert key_id_of(text) is None


def test_new_keys_are_new_and_say_nothing_of_their_secret() -> None:
    made = {ApiKey.new().text for _ in range(1000)}
    assert len(made) == 1000
    key = ApiKey.new()
    assert key.secret not in repr(key)
    again = ApiKey.new(key.key_id)
    assert (again.key_id, again.secret == key.secret) == (key.key_id, False)
