"""A model that says the same again and again is stopped."""

from __future__ import annotations

import re

from agent.guards.errors import WithheldError

_LONGEST_PERIOD = 64
_REPEATS = 5
# A word said five times is emphasis; so many words are a loop.
_FEWEST_WORDS = 20
_LONGEST_WORD = 1000
_WORD = re.compile(r"\S+")


class LoopWatch:
    """Follows a stream of text and counts how long each period of up to 64 words has been repeating itself."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._same = [0] * (_LONGEST_PERIOD + 1)
        self._open = ""

    def feed(self, text: str) -> None:
        """Take the next piece.

        Raises:
            WithheldError: `model_looped`.
        """
        self._open += text
        complete = 0
        for match in _WORD.finditer(self._open):
            if match.end() == len(self._open):
                break
            self._follow(match[0])
            complete = match.end()
        self._open = self._open[complete:]
        if len(self._open) > _LONGEST_WORD:
            raise WithheldError("model_looped")

    def _follow(self, word: str) -> None:
        for period in range(1, min(_LONGEST_PERIOD, len(self._words)) + 1):
            self._same[period] = self._same[period] + 1 if self._words[-period] == word else 0
            if self._same[period] >= max(_FEWEST_WORDS, period * (_REPEATS - 1)):
                raise WithheldError("model_looped")
        self._words = [*self._words[1 - _LONGEST_PERIOD :], word]
