from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from server.cli.sse import ServerSentEvent, read_events

_TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))
_WORD = st.text("abcdefgh", min_size=1)


async def _chunks(pieces: Sequence[str]) -> AsyncGenerator[str]:
    for piece in pieces:
        yield piece


async def _read(*pieces: str) -> list[ServerSentEvent]:
    return [event async for event in read_events(_chunks(pieces))]


@given(st.lists(st.tuples(_WORD, _TEXT)), st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(0, 400), max_size=6))
async def test_events_survive_any_cut(sent: list[tuple[str, str]], end: str, cuts: list[int]) -> None:
    wire = "".join(f"id: r:{seq}{end}event: {name}{end}data: {data}{end}{end}" for seq, (name, data) in enumerate(sent))
    places = [0, *sorted(cuts), len(wire)]
    pieces = [wire[start:stop] for start, stop in pairwise(places)]
    expected = [ServerSentEvent(name, data, f"r:{seq}") for seq, (name, data) in enumerate(sent)]
    assert await _read(*pieces) == expected


async def test_line_separators_of_unicode_do_not_end_a_line() -> None:
    assert await _read('data: {"text":"a\u2028b\u0085c"}\n\n') == [
        ServerSentEvent("message", '{"text":"a\u2028b\u0085c"}', "")
    ]


async def test_comments_are_skipped_and_data_lines_joined() -> None:
    assert await _read(": ping\n\nevent: token\ndata: a\ndata: b\n\n") == [ServerSentEvent("token", "a\nb", "")]


async def test_an_event_cut_off_by_the_end_is_dropped() -> None:
    assert await _read("data: whole\n\ndata: half\n") == [ServerSentEvent("message", "whole", "")]
