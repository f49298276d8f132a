from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guards.active_content import ActiveContentFilter, harmless

SOURCE = "The form is at https://bank.example/forms?id=7. Write to the desk."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("![logo](https://evil.example/p.png)", "logo"),
        ("![a][r] !![b]", "[a][r] [b]"),
        ("[![x](https://evil.example/a)](https://evil.example/b)", "[x] (‹link removed›)"),
        ("[r]: https://evil.example/x", "[r]: ‹link removed›"),
        ("[policy](https://evil.example)", "policy"),
        ("[policy](https://bank.example/forms?id=7)", "policy (https://bank.example/forms?id=7)"),
        ("See https://bank.example/forms?id=7.", "See https://bank.example/forms?id=7."),
        ("See https://bank.example/forms?id=8.", "See ‹link removed›."),
        ("As said [1](https://evil.example).", "As said [1]."),
        ("<b>bold</b> and a <- b", "< b>bold< /b> and a <- b"),
        ("run javascript:alert(1)", "run javascript: alert(1)"),
        ("data: 5 rows", "data: 5 rows"),
        ("fees < 10 EUR, 3 > 2, a[0](b), and/or [1], [2].", "fees < 10 EUR, 3 > 2, a[0], and/or [1], [2]."),
        ("//evil.example/x", "‹link removed›"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_what_is_left_of_active_content(text: str, left: str) -> None:
    assert harmless(text, [SOURCE]) == left


@given(st.text(alphabet="ab1 .![](<>)/:\n", max_size=60))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert harmless(harmless(text)) == harmless(text)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
@pytest.mark.parametrize(
    "text",
    [
        'A ![logo of us](https://evil.example/p.png) and [the policy](https://evil.example/?q=1 "x") end',
        "See https://evil.example/?a=b, then <img src=x onerror=1> or javascript:alert(1) now",
        "Honest [1]. Fees [2] (see 3) < 10 EUR! [a",
    ],
)
def test_a_stream_is_as_clean_as_the_whole(text: str, size: int) -> None:
    stream = ActiveContentFilter([SOURCE])
    pieces = [stream.feed(text[at : at + size]) for at in range(0, len(text), size)]
    assert "".join([*pieces, stream.finish()]) == harmless(text, [SOURCE])
