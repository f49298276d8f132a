"""What the documents give for a question: an answer with its citations, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.results import Citation
from tools.ports import Usage


@dataclass(frozen=True)
class Finding:
    """An answer, or a refusal: then `reason` is set, and `answer` and `citations` are empty.

    A `conflicting` answer quotes two documents that say different things.

    `versions` names the model and prompt that were used, `usage` what they cost; a `degraded` finding lacked its model;
    something simpler stood in (`stand_in`) where its model or its judge did not answer.
    `answered_at` (ISO 8601) is set where this repeats what was found before.
    """

    explanation: dict[str, Any]
    answer: str = ""
    citations: Sequence[Citation] = field(default_factory=list[Citation])
    reason: str | None = None
    suggestions: Sequence[str] = field(default_factory=list[str])
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    usage: Usage = field(default_factory=Usage)
    degraded: bool = False
    conflicting: bool = False
    stand_in: bool = False
    answered_at: str | None = None
