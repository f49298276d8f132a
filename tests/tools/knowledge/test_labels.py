from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tools.knowledge.labels import label, labels

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
KEYS = st.text(min_size=1).filter(lambda key: "." not in key)


def test_nested_keys_and_lists_are_spread_out() -> None:
    metadata = {"year": 2026, "tags": ["a", ["b"]], "owner": {"team": "x", "lead": None}, "empty": {}}
    assert labels(metadata) == ["owner.lead=null", 'owner.team="x"', 'tags="a"', 'tags="b"', "year=2026"]


@given(SCALARS, SCALARS)
def test_equal_labels_mean_the_same_value(one: Any, other: Any) -> None:
    assert (label("k", one) == label("k", other)) == ((type(one), one) == (type(other), other))


@given(st.dictionaries(KEYS, SCALARS))
def test_every_pair_has_its_label(metadata: dict[str, Any]) -> None:
    assert set(labels(metadata)) == {label(key, value) for key, value in metadata.items()}
