"""Earlier turns as a prompt shows them: quoted, since an answer repeats what documents say."""

from __future__ import annotations

from collections.abc import Sequence

from tools.ports import Message
from tools.untrusted import Fence

LONGEST_TURN = 2000
"""Characters of one earlier turn that a prompt shows."""


def turn_texts(turns: Sequence[Message]) -> list[str]:
    """What was said, each turn cut to its first part."""
    return [turn.content[:LONGEST_TURN] for turn in turns]


def quoted_turns(fence: Fence, turns: Sequence[Message]) -> str:
    """The turns, oldest first, each between tags that say who spoke."""
    texts = zip(turns, turn_texts(turns), strict=True)
    return "\n".join(fence.block("said", text, f'by="{turn.role}"') for turn, text in texts)
