"""A decision as people send it."""

from __future__ import annotations

import time
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from agent.results import Decision, Label
from agent.review import ReviewAnswer
from server.inputs import RequestBody, Text


def _blank_is_none(text: str) -> str | None:
    return text.strip() or None


class DecisionBody(RequestBody):
    """A decision on a fraud score."""

    decision: Decision = Field(
        description="`approve`: the model's label stands. `reject`: it is wrong, the other one counts. "
        "`escalate`: somebody else should decide; the review stays open."
    )
    label: Label | None = Field(
        default=None, description="The label that counts, if you want to be explicit; it must fit the decision."
    )
    comment: Annotated[Text, Field(max_length=5000), AfterValidator(_blank_is_none)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> DecisionBody:
        if self.decision == "escalate" and self.label is not None:
            raise PydanticCustomError("label_mismatch", "Who escalates leaves the label open; send no `label`.")
        return self

    def answer(self, reviewer: str) -> ReviewAnswer:
        """The final answer in it, given now; not for `escalate`."""
        assert self.decision != "escalate"
        return ReviewAnswer(
            decision=self.decision,
            label=self.label,
            comment=self.comment,
            reviewer=reviewer,
            decided_at=time.time(),
        )
