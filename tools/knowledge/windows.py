"""Windows over text that are as long as a number of tokens allows, cut between words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

CountTokens = Callable[[str], int]

# A word of any length can be one token (unknown); this keeps chunks readable all the same.
MAX_CHARACTERS_PER_TOKEN = 16


def word_windows(text: str, start: int, end: int, size: int, count_tokens: CountTokens) -> Iterator[tuple[int, int]]:
    """Yield spans of `text[start:end]` one after the other, each as long as `size` tokens allow."""
    while start < end:
        stop = window_end(text, start, end, size, count_tokens)
        yield start, stop
        start = skip_space(text, stop, end)


def window_end(text: str, start: int, end: int, size: int, count_tokens: CountTokens) -> int:
    """Return where the longest window from `start` ends: between words where possible, after one character at least."""
    stop = _longest_fit(text, start, min(end, start + size * MAX_CHARACTERS_PER_TOKEN), size, count_tokens)
    if stop == end or text[stop].isspace():
        return stop
    space = max(text.rfind(" ", start + 1, stop), text.rfind("\n", start + 1, stop))
    return space if space > start else stop


def tail_start(text: str, start: int, end: int, size: int, count_tokens: CountTokens) -> int:
    """Return where the longest run of whole words that ends `text[start:end]` in `size` tokens begins; else `end`."""
    low, high = max(start, end - size * MAX_CHARACTERS_PER_TOKEN), end
    while low < high:
        middle = (low + high) // 2
        if count_tokens(text[middle:end]) <= size:
            high = middle
        else:
            low = middle + 1
    while low < end and not (low == start or text[low - 1].isspace()):
        low += 1
    return skip_space(text, low, end)


def skip_space(text: str, start: int, end: int) -> int:
    """Return the first position in `text[start:end]` that is not white space, or `end`."""
    while start < end and text[start].isspace():
        start += 1
    return start


def _longest_fit(text: str, start: int, limit: int, size: int, count_tokens: CountTokens) -> int:
    """Return the largest end (found by bisection, at least one character) with `text[start:end]` in `size` tokens."""
    low, high = start + 1, limit
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(text[start:middle]) <= size:
            low = middle
        else:
            high = middle - 1
    return low
