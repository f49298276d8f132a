"""Which part of an answer may be sent before the answer is complete.

The native API replaces what it streamed by the result; this protocol cannot take anything back. A sentence that a model
writes freely may still turn out unsupported, and citations are numbered anew once it is known which sentences stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(r"\[(\d{1,3})\]")
_OPEN_MARK = re.compile(r"\[\d{0,3}$")


@dataclass
class SettledText:
    """Lets through what the result will repeat word for word.

    With `verbatim`, tokens are text of the documents, so only their citation marks can change: what follows a mark that
    is out of order waits for the result. Without it, everything waits.
    """

    verbatim: bool
    _sent: str = ""
    _waiting: str = ""
    _highest_mark: int = 0

    def push(self, token: str) -> str:
        """What can be sent after this token; empty if nothing can."""
        self._waiting += token
        settled = self._waiting[: self._settled_length()] if self.verbatim else ""
        self._waiting = self._waiting[len(settled) :]
        self._sent += settled
        return settled

    def finish(self, answer: str) -> str:
        """What the complete answer adds. An answer that was started over, without its model, follows as a whole."""
        if answer.startswith(self._sent):
            return answer[len(self._sent) :]
        return f"\n\n{answer}"

    def restart(self) -> None:
        """The answer is made anew, by another process: the result alone says how much of what was sent still holds."""
        self.verbatim = False
        self._waiting = ""

    def _settled_length(self) -> int:
        for mark in _MARK.finditer(self._waiting):
            if not 1 <= int(mark[1]) <= self._highest_mark + 1:
                return mark.start()
            self._highest_mark = max(self._highest_mark, int(mark[1]))
        cut = _OPEN_MARK.search(self._waiting)
        return cut.start() if cut else len(self._waiting)
