"""What has been left lying: overdue reviews, and decisions that a stop kept from their thread."""

from __future__ import annotations

import asyncio
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from langgraph.graph import END, START, StateGraph
from sqlalchemy import select

from agent.nodes import review
from agent.nodes.events import emit
from agent.results import FraudModel, FraudResult, TurnResult
from agent.review import ReviewAnswer, review_request
from agent.settings import Settings
from agent.state import GraphInput, GraphState, ScoredTurn, TurnContext
from server.db.engine import Database, open_database
from server.db.tables import audit
from server.langgraph.graph_calls import graph_call_again
from server.reviews.desk import ReviewDesk
from server.reviews.record import steps
from server.reviews.rows import ReviewConflictError
from server.reviews.store import ReviewStore
from server.reviews.writes import close_answered
from server.runs.events import RunEvent
from server.runs.live import RunRequest, StartedRun
from server.runs.manager import QueueFullError, RunManager, ShuttingDownError
from server.runs.rows import NewRun, Outcome
from server.runs.store import RunStore
from server.storage import open_app_database
from server.thread_states import open_thread_states
from tests.fakes.endpoint import FakeEndpoint
from tests.server.reviews.waiting import open_reviews, paused, said, turns
from tests.server.site import open_site, serve
from tools.errors import NotFoundError

HOUR_S = 3600.0
SCORE = FraudResult(
    label="FRAUD",
    probability=0.52,
    calibrated=True,
    risk_score=52,
    red_flags=[],
    reasoning="Because.",
    needs_review=True,
    model=FraudModel(base="base", adapter=None, sha256=None),
)


def result() -> dict[str, Any]:
    """What a run ends with that waits for a person."""
    asked = review_request(SCORE, ["borderline"], "A payment.")
    turn = TurnResult(
        route="fraud",
        routed_to="fraud",
        confidence=1,
        answer="Because.",
        abstained=False,
        fraud=SCORE,
        interrupt=asked,
    )
    return turn.model_dump(mode="json", by_alias=True)


async def _score(state: GraphState) -> GraphState:
    scored = result()
    emit("result", scored)
    return {"messages": [("ai", "waiting")], "result": scored}  # pyright: ignore[reportReturnType]


async def _scored(state: ScoredTurn) -> str:
    return "review" if state.get("result", {}).get("interrupt") else END


@dataclass(frozen=True)
class Office:
    """A server's parts around reviews, over a graph that finds every message borderline."""

    graph: Any
    runs: RunManager
    store: RunStore
    desk: ReviewDesk

    async def pause(self, owner: str = "ann") -> str:
        """The id of a run that waits."""
        run = await self.runs.start(RunRequest(owner, "a payment", thread_id=uuid.uuid4().hex))
        await self.runs.result(owner, run.run_id)
        return run.run_id

    async def answers(self, run_id: str) -> list[str]:
        """What the graph has said on the thread of a run."""
        thread_id = (await self.store.get("ann", run_id)).thread_id
        state = await self.graph.aget_state({"configurable": {"thread_id": thread_id}})
        return [message.content for message in state.values["messages"] if message.type == "ai"]


@pytest.fixture
async def opens(kept: Settings) -> AsyncIterator[Callable[[], Any]]:
    """Opens the office, as a process that starts does; several times one after the other over the same data."""
    async with AsyncExitStack() as stack:

        async def opened() -> Office:
            database = await asyncio.to_thread(open_app_database, kept)
            stack.push_async_callback(asyncio.to_thread, database.close)
            checkpoints = await stack.enter_async_context(open_thread_states(kept))
            builder: Any = StateGraph(GraphState, context_schema=TurnContext, input_schema=GraphInput)
            builder.add_node("score", _score)
            builder.add_node("review", review.run)
            builder.add_edge(START, "score")
            builder.add_conditional_edges("score", _scored)
            builder.add_edge("review", END)
            graph = builder.compile(checkpointer=checkpoints)
            store = RunStore(database)
            runs = RunManager(graph, store, checkpoints, graph_call_again, max_concurrent=4, max_waiting=4)
            await runs.recover(everything=True)
            return Office(graph, runs, store, ReviewDesk(ReviewStore(database), runs, overdue_hours=2))

        yield opened


def approve() -> ReviewAnswer:
    return ReviewAnswer(decision="approve", reviewer="ann", decided_at=time.time())


async def test_only_what_is_overdue_is_escalated_and_can_be_decided_later(opens: Callable[[], Any]) -> None:
    office = await opens()
    run_id = await office.pause()
    asked = (await office.desk.store.get("ann", run_id)).created_at
    await office.desk.tend(asked + 2 * HOUR_S - 1, grace_s=0)
    assert (await office.desk.store.get("ann", run_id)).status == "pending"
    await office.desk.tend(asked + 2 * HOUR_S + 1, grace_s=0)
    row = await office.desk.store.get("ann", run_id)
    assert (row.status, row.escalated_by, row.escalated_at) == ("escalated", "timeout", asked + 2 * HOUR_S + 1)
    await office.desk.tend(asked + 9 * HOUR_S, grace_s=0)
    assert (await office.desk.store.get("ann", run_id)) == row
    run = await office.desk.decide("ann", run_id, approve())
    await office.runs.result("ann", run.run_id)
    row = await office.desk.store.get("ann", run_id)
    assert [step.action for step in steps(row)] == ["asked", "escalated", "decided", "answered"]


async def test_a_decision_that_was_not_carried_on_is_carried_by_the_next_process(opens: Callable[[], Any]) -> None:
    office = await opens()
    run_id = await office.pause()
    # The process ends between the decision and its run.
    await office.desk.store.decide("ann", run_id, approve())
    office = await opens()
    async with office.desk.kept():
        await office.runs.drain(20)
    row = await office.desk.store.get("ann", run_id)
    assert row.decision_run_id is not None
    assert len(await office.answers(run_id)) == 2
    assert (await office.store.get("ann", row.decision_run_id)).result["review"]["label"] == "FRAUD"


async def test_a_decision_whose_run_was_cut_off_after_its_checkpoint_is_said_once(
    opens: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await opens()
    run_id = await office.pause()

    async def killed(*_: object) -> None:
        raise ConnectionError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr(office.store, "finish", killed)
        run = await office.desk.decide("ann", run_id, approve())
        await office.runs.drain(20)
    assert (await office.store.get("ann", run.run_id)).status == "running"
    before = await office.answers(run_id)
    assert len(before) == 2
    office = await opens()
    async with office.desk.kept():
        await office.runs.drain(20)
    assert await office.answers(run_id) == before
    row = await office.desk.store.get("ann", run_id)
    assert row.decision_run_id == run.run_id


async def test_a_decision_under_way_is_not_carried_twice(opens: Callable[[], Any]) -> None:
    office = await opens()
    run_id = await office.pause()
    await office.desk.store.decide("ann", run_id, approve())
    await office.desk.tend(time.time(), grace_s=60)
    assert (await office.desk.store.get("ann", run_id)).decision_run_id is None
    await office.desk.tend(time.time(), grace_s=0)
    await office.desk.tend(time.time(), grace_s=0)
    await office.runs.drain(20)
    thread_id = (await office.store.get("ann", run_id)).thread_id
    assert len(await office.store.of_thread("ann", thread_id, limit=10)) == 2
    assert len(await office.answers(run_id)) == 2


async def test_a_decision_is_kept_while_the_server_shuts_down(opens: Callable[[], Any]) -> None:
    office = await opens()
    run_id = await office.pause()
    await office.runs.drain(20)
    assert await office.desk.decide("ann", run_id, approve()) is None
    assert (await office.desk.store.get("ann", run_id)).status == "decided"
    with pytest.raises(ReviewConflictError):
        await office.desk.decide("ann", run_id, approve())
    with pytest.raises(ShuttingDownError):
        await office.runs.start(RunRequest("ann", "too late"))


async def test_a_decision_that_cannot_be_carried_is_given_up_after_some_attempts(opens: Callable[[], Any]) -> None:
    office = await opens()
    run_id = await office.pause()
    await office.desk.store.decide("ann", run_id, approve())
    started: list[RunRequest] = []
    busy: list[RunRequest] = []

    async def start(request: RunRequest) -> StartedRun:
        if len(busy) < 3:
            # Not an attempt: the decision is carried when there is room.
            busy.append(request)
            raise QueueFullError("busy")
        started.append(request)
        return StartedRun("run", "thread")

    office.desk._runs.start = start  # pyright: ignore[reportPrivateUsage]
    for _ in range(9):
        await office.desk.tend(time.time(), grace_s=0)
    assert len(started) == 5
    assert {request.review_of for request in started} == {run_id}


async def test_another_owner_neither_sees_nor_decides(opens: Callable[[], Any]) -> None:
    office = await opens()
    run_id = await office.pause()
    request_id = (await office.desk.store.get("ann", run_id)).request["id"]
    thread_id = (await office.store.get("ann", run_id)).thread_id
    for attempt in (
        office.desk.store.get("bob", run_id),
        office.desk.decide("bob", run_id, approve()),
        office.desk.store.escalate("bob", run_id, "bob", None),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    assert await office.desk.store.asked_on("bob", thread_id, request_id) is None
    assert await office.desk.store.page("bob", ("pending",), limit=9) == ([], 0)
    assert (await office.desk.store.get("ann", run_id)).status == "pending"


Step = st.sampled_from(["approve", "reject", "escalate", "overdue", "answered", "failed"])


@examples(max_examples=20, deadline=None)
@given(taken=st.lists(Step, max_size=8))
def test_a_review_only_moves_forward(tmp_path_factory: pytest.TempPathFactory, taken: list[str]) -> None:
    database = open_database(tmp_path_factory.mktemp("reviews") / "app.db")
    try:
        asyncio.run(_walk(database, taken))
    finally:
        database.close()


_AUDITED = {
    "asked": "review_asked",
    "escalated": "review_escalated",
    "decided": "review_decision",
    "answered": "review_answered",
}


async def _audited(database: Database) -> list[str]:
    """What the audit log says of reviews, oldest first."""
    query = select(audit.c.kind).where(audit.c.kind.in_(_AUDITED.values())).order_by(audit.c.sequence)
    return await database.read(lambda connection: list(connection.execute(query).scalars()))


async def _walk(database: Database, taken: list[str]) -> None:
    runs, store = RunStore(database), ReviewStore(database)
    run = NewRun("run", "thread", "ann", "a payment", {}, "trace")
    await runs.create(run)
    await runs.finish(
        run, [RunEvent("run", 1, "end", "{}")], Outcome("success", result(), None, None, 1.0, paused=True)
    )
    status, decision, answered = "pending", None, False
    for step in taken:
        conflict = False
        try:
            await _take(database, store, step)
        except ReviewConflictError:
            conflict = True
        if step in ("approve", "reject"):
            assert conflict is (status == "decided")
            status, decision = "decided", decision or step
        elif step in ("escalate", "overdue"):
            assert conflict is (step == "escalate" and status != "pending")
            status = "escalated" if status == "pending" else status
        elif step == "answered":
            answered = answered or status == "decided"
        row = await store.get("ann", "run")
        assert (row.status, row.decision, row.answered_at is not None) == (status, decision, answered)
        actions = [told.action for told in steps(row)]
        assert actions[0] == "asked"
        assert len(actions) == len(set(actions))
        assert await _audited(database) == [_AUDITED[action] for action in actions]
        assert len(await store.unanswered(time.time() + 1)) == (status == "decided" and not answered)


async def _take(database: Database, store: ReviewStore, step: str) -> None:
    if step == "escalate":
        await store.escalate("ann", "run", "ann", None)
    elif step == "overdue":
        await store.escalate_overdue(time.time() + 1, time.time())
    elif step in ("answered", "failed"):
        carrier = NewRun("carrier", "thread", "ann", "Review", {"review_of": "run"}, "trace")
        brought = {"review": {"label": "FRAUD"}} if step == "answered" else None
        outcome = Outcome("success" if brought else "error", brought, None, None, 1.0)
        await database.write(lambda connection: close_answered(connection, database.audit, carrier, outcome))
    else:
        decision = "approve" if step == "approve" else "reject"
        await store.decide("ann", "run", ReviewAnswer(decision=decision, decided_at=time.time()))


def test_a_restart_heals_a_decision_that_was_cut_off(
    fake: FakeEndpoint, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    with open_site(tmp_path, fake, pytestconfig) as before:
        asked = paused(before, fake)
    with closing(sqlite3.connect(before.settings.app_database)) as database, database:
        values = "status = 'decided', decision = 'reject', label = 'LEGITIMATE', reviewer = 'local', decided_at = 1"
        database.execute(f"UPDATE reviews SET {values} WHERE run_id = ?", (asked["run_id"],))
    with serve(before.settings) as after:
        run_id = _answered(after.http, asked["run_id"])
        (_, second) = turns(after, asked["thread_id"])
        assert second["run_id"] == run_id
        assert second["result"]["review"]["label"] == "LEGITIMATE"
        assert len([kind for kind, _ in said(after, asked["thread_id"]) if kind == "ai"]) == 2
        assert open_reviews(after) == []


def _answered(http: Any, run_id: str) -> str:
    """The run that brought the decision, waiting for it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if carrier := http.get(f"/reviews/{run_id}").json()["decision_run_id"]:
            return carrier
        time.sleep(0.05)
    raise AssertionError("the decision did not reach its thread")
