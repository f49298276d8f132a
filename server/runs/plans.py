"""What is written down of a request so that its run can be driven again, and the request made of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from agent.state import TurnContext
from server.runs.live import GraphCall, RunRequest
from server.runs.rows import REVIEW_OF, NewRun
from tools.errors import SwitchyardError

_log = logging.getLogger(__name__)

CallMaker = Callable[[Mapping[str, Any]], GraphCall]
"""Makes a graph's call again of the body that it was first made from."""


def new_run(request: RunRequest, run_id: str, thread_id: str, trace_id: str) -> NewRun:
    """The run as it is written down."""
    context = request.context
    kept = {"document_ids": list(context.document_ids), "collection": context.collection, **request.details}
    if request.review_of is not None:
        kept[REVIEW_OF] = request.review_of
    return NewRun(
        run_id,
        thread_id,
        request.owner,
        request.message,
        kept,
        trace_id,
        strategy=request.strategy,
        metadata=request.metadata,
        temporary=request.temporary,
        plan={
            "context": asdict(context),
            "history": request.history,
            "temporary": request.temporary,
            "call": None if request.call is None else request.call.body,
        },
        request_key=request.key,
        key_id=request.key_id,
    )


def planned_request(run: NewRun, make_call: CallMaker) -> RunRequest | None:
    """The request that a run was made of; None where another version wrote it down, in a way not known here."""
    if run.plan is None:
        return None
    try:
        return _request(run, run.plan, make_call)
    except (LookupError, TypeError, ValueError, SwitchyardError):
        _log.exception("trace %s: run %s cannot be driven again", run.trace_id, run.run_id)
        return None


def _request(run: NewRun, plan: Mapping[str, Any], make_call: CallMaker) -> RunRequest:
    context: dict[str, Any] = {**plan["context"], "document_ids": tuple(plan["context"]["document_ids"])}
    body = plan["call"]
    return RunRequest(
        owner=run.owner,
        message=run.message,
        thread_id=run.thread_id,
        context=TurnContext(**context),
        history=tuple((role, text) for role, text in plan["history"]),
        call=None if body is None else make_call(body),
        strategy=run.strategy,
        metadata=run.metadata,
        temporary=run.temporary,
        key_id=run.key_id,
        review_of=run.input.get(REVIEW_OF),
    )
