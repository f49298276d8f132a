from __future__ import annotations

import pytest

from agent.guards.errors import WithheldError
from agent.guards.loops import LoopWatch


def words_until_stopped(text: str) -> int | None:
    """How many words a stream of single words got through, None where it was not stopped."""
    watch = LoopWatch()
    for number, word in enumerate(text.split()):
        try:
            watch.feed(f"{word} ")
        except WithheldError as error:
            return number if error.reason == "model_looped" else None
    return None


@pytest.mark.parametrize(
    ("unit", "most"),
    [("again", 25), ("very much", 25), ("the window is 120 days [1].", 35), (" ".join(map(str, range(60))), 310)],
)
def test_what_repeats_itself_is_stopped(unit: str, most: int) -> None:
    stopped = words_until_stopped(f"It is so: {f'{unit} ' * 1000}")
    assert stopped is not None
    assert stopped <= most


@pytest.mark.parametrize(
    "text",
    [
        "no, no, no, no, no: never share a PIN",
        "| fee | 0 | | fee | 1 | | fee | 2 | | fee | 3 | | fee | 4 | | fee | 5 | | fee | 6 | | fee | 7 |",
        " ".join(f"Step {number} takes {number} days." for number in range(200)),
        "The window is 120 days. " * 3,
    ],
)
def test_lists_and_emphasis_are_no_loops(text: str) -> None:
    assert words_until_stopped(text) is None


def test_a_word_without_end_is_stopped() -> None:
    watch = LoopWatch()
    for _ in range(100):
        watch.feed("aaaaaaaaaa")
    with pytest.raises(WithheldError):
        watch.feed("a")
