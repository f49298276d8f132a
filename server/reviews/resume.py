"""How a decision gets into the graph: its thread goes on where it waits, or takes the decision in where it is now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agent.results import TurnResult
from agent.review import ReviewAnswer
from agent.state import SettledReview
from graphs.switchyard import Switchyard
from server.reviews.rows import ReviewRow


async def resumption(
    graph: Switchyard, config: RunnableConfig, review: ReviewRow, command: Command[Any] | None
) -> tuple[Command[Any], SettledReview | None]:
    """The graph's input for a decided review, and what it needs to know where it does not wait for it any more.

    A thread stops waiting when another message comes, and when an earlier attempt to carry the decision to it was cut
    off after its checkpoint was written. `command` is what else a client wants done on resuming.
    """
    state = await graph.aget_state(config)
    answer = review_answer(review).model_dump(mode="json")
    for waiting in state.interrupts:
        if asked(waiting.value) == review.request["id"]:
            return replace(command or Command(), resume={waiting.id: answer}), None
    # The stored result has the run's ids and timings as well.
    scored = {name: value for name, value in review.result.items() if name in TurnResult.model_fields}
    return Command(goto="review"), SettledReview(scored, answer)


def asked(value: Any) -> str | None:
    """The id of the question that an interrupt asks; none where it is no review's."""
    return value.get("id") if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def review_answer(review: ReviewRow) -> ReviewAnswer:
    """The decision of a decided review."""
    assert review.decision is not None
    return ReviewAnswer(
        decision=review.decision,
        label=review.label,
        comment=review.comment,
        reviewer=review.reviewer,
        decided_at=review.decided_at,
    )
