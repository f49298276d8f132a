"""Why a model's text is withheld."""

from __future__ import annotations

from typing import Literal

Reason = Literal["instructions_repeated", "model_looped"]


class WithheldError(Exception):
    """What the model writes must not go out; `reason` is the one that the turn's result gives."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
