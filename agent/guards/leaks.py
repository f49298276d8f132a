"""A model that recites its instructions is stopped before the recital gets out.

Text is compared with every prompt of this installation by runs of words: case, punctuation, look-alike letters and
invisible characters make no difference. A translation or a paraphrase is not noticed; prompts therefore hold no
secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from agent.guards.errors import WithheldError
from agent.prompts import all_prompts
from tools.disguise import undisguised
from tools.extraction.ask import instructions
from tools.fraud.prompt import load_prompt
from tools.knowledge.unicode import without_invisible

RUN = 8
"""So many words in a row of one prompt are a recital; the sample documents share at most five."""
# A single shared word says nothing: holding back from the second on keeps streams fluent.
_HELD_FROM = 2
# Joiners are part of a word here, so that they cannot cut it in two.
_WORD = re.compile("[\\w\u200c\u200d]+")

Grams = frozenset[tuple[str, ...]]


class LeakWatch:
    """Follows a stream of text. What could be the start of a recital is held until it is known not to be one."""

    def __init__(self, grams: Grams | None = None) -> None:
        """Compare with `grams`, by default those of all prompts."""
        self._grams = prompt_grams() if grams is None else grams
        self._held = ""
        self._scanned = 0
        self._run: list[tuple[str, int]] = []

    def feed(self, text: str) -> str:
        """What may go out after this piece.

        Raises:
            WithheldError: `instructions_repeated`.
        """
        self._held += without_invisible(text)
        # The last word may go on in the next piece.
        for match in _WORD.finditer(self._held, self._scanned):
            if match.end() == len(self._held):
                return self._release(match.start())
            self._follow(match[0], match.start())
            self._scanned = match.end()
        return self._release(len(self._held))

    def finish(self) -> str:
        """The rest.

        Raises:
            WithheldError: `instructions_repeated`.
        """
        if last := _WORD.search(self._held, self._scanned):
            self._follow(last[0], last.start())
        rest, self._held = self._held, ""
        return rest

    def _follow(self, word: str, start: int) -> None:
        """Keep the longest run of last words that stands in a prompt."""
        # A word in disguise can be several: "FRAUD-or" arrives as two, "ﬁrst" as one.
        for plain in _WORD.findall(undisguised(word).casefold()):
            self._run.append((plain, start))
            while self._run and tuple(word for word, _ in self._run) not in self._grams:
                del self._run[0]
            if len(self._run) >= RUN:
                raise WithheldError("instructions_repeated")

    def _release(self, end: int) -> str:
        if len(self._run) >= _HELD_FROM:
            end = max(0, self._run[0][1])
        out, self._held = self._held[:end], self._held[end:]
        self._scanned = max(0, self._scanned - end)
        self._run = [(word, start - end) for word, start in self._run]
        return out


def recites(text: str, grams: Grams | None = None) -> bool:
    """Whether a whole text holds a run of a prompt's words."""
    watch = LeakWatch(grams)
    try:
        watch.feed(text)
        watch.finish()
    except WithheldError:
        return True
    return False


def grams_of(texts: Iterable[str]) -> Grams:
    """All runs of up to `RUN` words of these texts."""
    found: set[tuple[str, ...]] = set()
    for text in texts:
        words = _WORD.findall(undisguised(text).casefold())
        for start in range(len(words)):
            found.update(tuple(words[start : start + size]) for size in range(1, RUN + 1) if start + size <= len(words))
    return frozenset(found)


@cache
def prompt_grams() -> Grams:
    """The runs of every version of every prompt that a model is ever given."""
    return grams_of([*(prompt.text for prompt in all_prompts()), instructions(), load_prompt().instruction])
