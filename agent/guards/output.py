"""All guards of a model's text in one place, for a stream or a whole."""

from __future__ import annotations

from collections.abc import Sequence

from agent.guards.active_content import ActiveContentFilter
from agent.guards.errors import WithheldError
from agent.guards.leaks import LeakWatch, recites
from agent.guards.loops import LoopWatch


class OutputGuard:
    """Takes a model's text in pieces and gives back what may go out; `text` is all that went out."""

    def __init__(self, sources: Sequence[str] = ()) -> None:
        """`sources` are the texts that the answer is made from: their addresses may be repeated.

        Reads the prompts' files the first time, which blocks.
        """
        self.text = ""
        self._loops = LoopWatch()
        self._leaks = LeakWatch()
        self._active = ActiveContentFilter(sources)

    def feed(self, piece: str) -> str:
        """What may go out after this piece.

        Raises:
            WithheldError: the model recites its instructions or repeats itself.
        """
        self._loops.feed(piece)
        return self._sent(self._active.feed(self._leaks.feed(piece)))

    def finish(self) -> str:
        """The rest.

        Raises:
            WithheldError: the model recites its instructions.
        """
        return self._sent(self._active.feed(self._leaks.finish()) + self._active.finish())

    def _sent(self, text: str) -> str:
        self.text += text
        return text


def fit_for_use(text: str) -> bool:
    """Whether a short text that a model wrote may be worked with: it neither recites nor loops. Blocks once."""
    try:
        LoopWatch().feed(f"{text} ")
    except WithheldError:
        return False
    return not recites(text)
