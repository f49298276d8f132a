from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tools.extraction.readers.source import Source


def test_words_over_lines_are_joined_and_feet_of_pages_left_out() -> None:
    text = "the laws of the Common-\nwealth of Kent and the law of the State\n\n   -4-\n\nof Ohio."
    prose = Source(text).prose
    assert "Commonwealth of Kent" in prose.text
    assert "the State of Ohio." in " ".join(prose.text.split())
    start = prose.text.index("Ohio")
    begin, end = prose.place(start, start + 4)
    assert text[begin:end] == "Ohio"


@given(st.text(alphabet="ab -\n\f1A.,", max_size=80))
def test_every_character_of_the_prose_stands_in_the_source(text: str) -> None:
    prose = Source(text).prose
    for place, char in enumerate(prose.text):
        start, end = prose.place(place, place + 1)
        assert end == start + 1
        assert text[start] == char or (text[start] in "\n\f" and char == " ")
