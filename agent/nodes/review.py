"""Waits for a person's decision on a fraud score, and ends the turn with it.

A node of its own: what runs before an interrupt runs again after it, and a transaction is not to be scored twice.
"""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agent.nodes.events import emit, end_turn
from agent.results import ReviewRequest, TokenUsage, TurnResult
from agent.review import ReviewAnswer, final_answer, read_answer, review_outcome
from agent.state import GraphState, ScoredTurn, TurnContext


async def run(state: ScoredTurn, runtime: Runtime[TurnContext]) -> GraphState:
    """Pause the graph until somebody decides; a decision on a turn that was left behind needs no pause."""
    context = runtime.context or TurnContext()
    settles = context.settles
    waiting = settles.result if settles else state.get("result", {})
    if not waiting.get("interrupt"):
        return {}
    scored = TurnResult.model_validate(waiting)
    assert scored.interrupt is not None
    answer = ReviewAnswer.model_validate(settles.answer) if settles else _ask(scored.interrupt, context)
    outcome = review_outcome(scored.interrupt, answer)
    text = final_answer(scored.interrupt, outcome)
    emit("token", {"text": text})
    # The score cost its tokens in the turn that made it.
    changes: dict[str, Any] = {"answer": text, "interrupt": None, "review": outcome, "usage": TokenUsage()}
    # An id of its own: a decision that is carried to its thread twice is still one message.
    return end_turn(scored.model_copy(update=changes), message_id=f"review-{scored.interrupt.id}")


def _ask(request: ReviewRequest, context: TurnContext) -> ReviewAnswer:
    """What a person answers; whatever is no answer, or comes from somebody who may not decide, is asked again."""
    question = request.model_dump(mode="json")
    answer = None
    while answer is None:
        given = interrupt(question)
        answer = read_answer(given, request.label) if context.may_decide else None
    return answer
