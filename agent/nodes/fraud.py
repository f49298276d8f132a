"""Transactions: read, ask for what is missing, score, show the evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from langgraph.runtime import Runtime

from agent.guards.active_content import harmless
from agent.nodes.events import emit, finish_turn
from agent.results import FraudModel, FraudResult, RedFlag
from agent.review import WAITING, review_request
from agent.services import Services
from agent.state import GraphState, RoutedTurn, TurnContext
from tools.errors import InputError, ModelUnavailableError
from tools.fraud.errors import MissingFieldsError
from tools.fraud.parse import require_transaction
from tools.fraud.reasoning import explain_flags
from tools.fraud.score import FraudScore, assess, score
from tools.fraud.transaction import Transaction
from tools.ports import Usage


@dataclass(frozen=True)
class FraudNode:
    """Scores the transaction in the message."""

    services: Services

    async def run(self, state: RoutedTurn, runtime: Runtime[TurnContext]) -> GraphState:
        """Answer with a score, or ask for the facts that a score needs. A borderline score is left to a person."""
        try:
            transaction = await self.services.compute(lambda: require_transaction(state["query"]))
        except InputError as error:
            return _ask(state, error)
        emit("status", {"text": "Scoring the transaction"})
        try:
            async with self.services.fraud.serving() as served:
                scored = await score(transaction, served.model, self.services.policy, manifest=served.manifest)
        except ModelUnavailableError:
            return self._flags_only(state, transaction)
        fraud = fraud_result(scored)
        request = None
        if self._waits(scored, runtime):
            request = review_request(fraud, scored.review_reasons, harmless(scored.narrative))
        answer = fraud.reasoning if request is None else f"{fraud.reasoning}\n\n{WAITING}"
        emit("token", {"text": answer})
        return finish_turn(
            state,
            versions={"fraud_model": served.model.name, "fraud_prompt": scored.prompt},
            usage=scored.usage,
            route="fraud",
            answer=answer,
            abstained=False,
            fraud=fraud,
            interrupt=request,
            explanation={"narrative": scored.narrative, "logit": round(scored.z, 4)},
        )

    def _waits(self, scored: FraudScore, runtime: Runtime[TurnContext]) -> bool:
        context = runtime.context or TurnContext()
        return scored.needs_review and self.services.reviews and context.may_wait

    def _flags_only(self, state: RoutedTurn, transaction: Transaction) -> GraphState:
        flags = assess(transaction, self.services.policy).flags
        answer = f"The fraud model does not answer, so there is no probability. {harmless(explain_flags(flags))}"
        emit("token", {"text": answer})
        return finish_turn(
            state,
            versions={},
            usage=Usage(),
            route="fraud",
            answer=answer,
            abstained=False,
            reason="model_unavailable",
            degraded=True,
        )


def fraud_result(scored: FraudScore) -> FraudResult:
    """A tool's score as the API's model; what it repeats of the transaction does nothing where it is rendered."""
    return FraudResult(
        label=scored.label,
        probability=scored.probability,
        threshold=scored.threshold,
        calibrated=scored.calibrated,
        risk_score=scored.risk_score,
        red_flags=[RedFlag(code=flag.code, evidence=harmless(flag.evidence)) for flag in scored.red_flags],
        reasoning=harmless(scored.reasoning),
        needs_review=scored.needs_review,
        model=FraudModel(**asdict(scored.model)),
    )


def _ask(state: RoutedTurn, error: InputError) -> GraphState:
    answer = harmless(error.message)
    emit("token", {"text": answer})
    turn = finish_turn(
        state,
        versions={},
        usage=Usage(),
        route="fraud",
        answer=answer,
        abstained=False,
        reason=error.code,
    )
    pending = state["query"] if isinstance(error, MissingFieldsError) else None
    turn["pending_transaction"] = pending
    return turn
