"""The first node: what is asked, stand-alone, and which branch answers it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from langgraph.runtime import Runtime

from agent.conversation import quoted_turns, turn_texts
from agent.followup import is_follow_up, stand_alone
from agent.guards.output import fit_for_use
from agent.memory import last_question, recent_turns
from agent.nodes.events import emit
from agent.prompts import Prompt
from agent.router.decide import RouteDecision
from agent.services import Services
from agent.state import GraphState, NewTurn, TurnContext
from tools.errors import InputError, SwitchyardError
from tools.fraud.parse import looks_like_transaction, parse_transaction
from tools.ports import ChatRequest, Message
from tools.untrusted import Fence

_log = logging.getLogger(__name__)

_REMEMBERED_QUESTIONS = 5
_REWRITE_TOKENS = 80
_LONGEST_REWRITE = 500


@dataclass(frozen=True)
class RouteNode:
    """Rewrites follow-ups and decides the branch."""

    services: Services

    async def run(self, state: NewTurn, runtime: Runtime[TurnContext]) -> GraphState:
        """Set `query`, `decision` and what else belongs to the new turn."""
        message = last_question(state["messages"])
        context = runtime.context or TurnContext()
        pending = state.get("pending_transaction")
        versions: dict[str, str] = {}
        if pending and (completed := _completes(pending, message)):
            query, decision = completed, _continued_transaction()
        else:
            query, versions = await self._stand_alone(message, state)
            router = self.services.router
            attached = bool(context.document_ids)
            decision = _plain(await self.services.compute(lambda: router.route(query, attached_document=attached)))
        emit("route", {"routed_to": decision["routed_to"], "confidence": decision["confidence"]})
        questions = [*state.get("questions", []), query][-_REMEMBERED_QUESTIONS:]
        return {
            "query": query,
            "questions": questions if decision["routed_to"] == "knowledge" else state.get("questions", []),
            "decision": decision,
            "versions": versions,
            "refusal": None,
            "pending_transaction": None,
        }

    async def _stand_alone(self, message: str, state: NewTurn) -> tuple[str, dict[str, str]]:
        """The message as a question of its own, and what was used to make it one."""
        if not is_follow_up(message) or not (questions := await self._questions(state)):
            return message, {}
        if self.services.models.chain("answer").first.quotes:
            return stand_alone(message, questions), {}
        prompt = await self.services.prompts.get("rewrite")
        if rewritten := await self._rewrite(prompt, message, state):
            return rewritten, {"rewrite_prompt": prompt.id}
        return stand_alone(message, questions), {}

    async def _rewrite(self, prompt: Prompt, message: str, state: NewTurn) -> str:
        """What the model makes of the message; empty where it does not answer, or with something else."""
        turns = recent_turns(state["messages"])
        conversation = quoted_turns(Fence.around(*turn_texts(turns)), turns)
        messages = [Message("system", prompt.text), Message("user", f"{conversation}\n\nLast message: {message}")]
        request = ChatRequest(messages, max_tokens=_REWRITE_TOKENS)
        try:
            rewritten = (await self.services.models.chain("answer").complete(request)).text.strip()
        except SwitchyardError as error:
            _log.warning("follow-up rewritten by rule: %s", error.code)
            return ""
        if await self.services.compute(lambda: _is_question(rewritten)):
            return rewritten
        _log.warning("follow-up rewritten by rule: the model wrote no question")
        return ""

    async def _questions(self, state: NewTurn) -> Sequence[str]:
        """The stand-alone questions so far; of a conversation that the caller kept, read from what the user said."""
        if (known := state.get("questions")) is not None:
            return known
        told: list[str] = []
        for turn in recent_turns(state["messages"], _REMEMBERED_QUESTIONS):
            if turn.role == "user":
                query = stand_alone(turn.content, told)
                decision = await self.services.compute(partial(self.services.router.route, query))
                told += [query] if decision.routed_to == "knowledge" else []
        return told


def _is_question(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_REWRITE and "\n" not in text and fit_for_use(text)


def _plain(decision: RouteDecision) -> dict[str, Any]:
    return {
        **asdict(decision),
        "probabilities": {intent: round(value, 4) for intent, value in decision.probabilities.items()},
        "confidence": round(decision.confidence, 4),
        "alternatives": list(decision.alternatives),
        "reasons": list(decision.reasons),
    }


def _completes(pending: str, message: str) -> str | None:
    """The pending transaction with this message's facts, if the message adds some that were missing."""
    if not looks_like_transaction(message).found:
        return None
    text = f"{pending}\n{message}"
    try:
        return text if parse_transaction(text) else None
    except InputError:
        return None


def _continued_transaction() -> dict[str, Any]:
    return {
        "routed_to": "fraud",
        "confidence": 1.0,
        "probabilities": {},
        "alternatives": [],
        "reasons": ["completes the transaction of the last turn"],
        "ambiguous": False,
    }
