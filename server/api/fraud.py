"""POST /fraud/score: one transaction or many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from agent.nodes.fraud import fraud_result
from agent.results import FraudResult
from server.access.rules import needs
from server.audit.decisions import score_entry
from server.db.engine import Database
from server.dependencies import App, Spender
from server.inputs import MessageText, RequestBody
from tools.errors import InputError
from tools.fraud.parse import require_transaction
from tools.fraud.score import score_many
from tools.fraud.transaction import Transaction, read_transaction

router = APIRouter(prefix="/fraud", tags=["fraud"], dependencies=[needs("chat")])

MAX_TRANSACTIONS = 1000
# Streams wait for the one writer meanwhile.
_AUDITED_AT_ONCE = 50
_EXAMPLE: dict[str, Any] = {
    "amount": 2400,
    "currency": "EUR",
    "merchant": "ElectroWorld",
    "channel": "ecommerce",
    "country": "NG",
    "customer_home_country": "DE",
    "customer_usual_amount": 45,
}


class ScoreRequest(RequestBody):
    """Exactly one of the three."""

    text: MessageText | None = Field(default=None, description="A transaction in prose, key: value lines, CSV or JSON.")
    transaction: dict[str, Any] | None = Field(default=None, examples=[_EXAMPLE])
    transactions: list[dict[str, Any]] | None = Field(default=None, min_length=1, max_length=MAX_TRANSACTIONS)

    @model_validator(mode="after")
    def _one_source(self) -> ScoreRequest:
        if sum(value is not None for value in (self.text, self.transaction, self.transactions)) != 1:
            raise PydanticCustomError("invalid_request", "Send one of `text`, `transaction` and `transactions`.")
        return self


class Scores(BaseModel):
    """Scores in the order of the transactions."""

    results: list[FraudResult]


@router.post("/score", response_model=Scores)
async def score_transactions(body: ScoreRequest, app: App, caller: Spender) -> Scores:
    """Score transactions. Missing essentials are asked for (422, `missing_fields`), never guessed.

    Each score is in the audit log before it is answered.
    """
    transactions = await app.services.compute(lambda: _read(body))
    services = app.services
    async with app.access.budgets.charged(caller), services.fraud.serving() as served:
        scored = await score_many(transactions, served.model, services.policy, manifest=served.manifest)
    scores = Scores(results=[fraud_result(score) for score in scored])
    await _audit(app.database, caller.owner, body, scores, [score.prompt for score in scored])
    return scores


async def _audit(database: Database, owner: str, body: ScoreRequest, scores: Scores, prompts: Sequence[str]) -> None:
    audit = database.audit
    scored = list(zip(_asked(body), scores.results, prompts, strict=True))
    for first in range(0, len(scored), _AUDITED_AT_ONCE):

        def write(connection: Connection, first: int = first) -> None:
            for asked, result, prompt in scored[first : first + _AUDITED_AT_ONCE]:
                audit.append(connection, score_entry(audit.key, owner, asked, result.model_dump(mode="json"), prompt))

        await database.write(write)


def _asked(body: ScoreRequest) -> Sequence[str | Mapping[str, Any]]:
    """What came in, one item a transaction."""
    if body.text is not None:
        return [body.text]
    return body.transactions or [body.transaction or {}]


def _read(body: ScoreRequest) -> list[Transaction]:
    if body.text is not None:
        return [require_transaction(body.text)]
    if body.transaction is not None:
        return [read_transaction(body.transaction)]
    transactions: list[Transaction] = []
    for position, raw in enumerate(body.transactions or []):
        try:
            transactions.append(read_transaction(raw))
        except InputError as error:
            raise InputError(
                f"Transaction {position + 1}: {error.message}", code=error.code, index=position, **error.details
            ) from None
    return transactions
