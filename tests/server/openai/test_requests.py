"""The body of a chat completion: whatever comes in becomes a run request or a validation error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.memory import LAST_TURNS
from server.openai.requests import CompletionRequest
from server.runs.live import RunRequest

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
words = st.text("abc ?\n", min_size=1, max_size=20).filter(str.strip)
parts = st.fixed_dictionaries({"type": st.just("text"), "text": words})
contents = words | st.lists(parts, min_size=1, max_size=3)
roles = st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"])
messages: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.fixed_dictionaries({"role": roles, "content": contents}), max_size=30
)
questions: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({"role": st.just("user"), "content": contents})


def run_request(body: Any, owner: str = "ann") -> RunRequest:
    return CompletionRequest.model_validate(body).run_request(owner)


def body_of(*said: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": "switchyard", "messages": list(said), **fields}


def plain(content: str | list[dict[str, str]]) -> str:
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content)


@given(messages, questions)
def test_the_last_message_is_asked_and_the_last_turns_are_remembered(
    earlier: list[dict[str, Any]], question: dict[str, Any]
) -> None:
    request = run_request(body_of(*earlier, question))
    assert request.message == plain(question["content"])
    said = [(one["role"], plain(one["content"])) for one in earlier if one["role"] in ("user", "assistant")]
    assert list(request.history) == said[-2 * LAST_TURNS :]
    assert request.thread_id is None


@given(json_values)
def test_json_that_asks_nothing_is_a_validation_error(body: Any) -> None:
    with pytest.raises(ValidationError):
        CompletionRequest.model_validate(body)


@given(st.sampled_from(sorted(CompletionRequest.model_fields)), json_values)
def test_any_value_of_a_field_is_taken_or_refused_by_name(field: str, value: Any) -> None:
    body = {**body_of({"role": "user", "content": "Who approves it?"}), field: value}
    problems: list[Any] = []
    try:
        assert run_request(body).message.strip()
    except ValidationError as error:
        problems = error.errors()
    # Numbers and texts that cannot be stored are found before any field is looked at.
    assert {problem["loc"][:1] for problem in problems} <= {(field,), ()}


@given(st.dictionaries(st.text("abcdefgh_", max_size=10), st.text() | st.integers(0, 9), max_size=4))
def test_no_field_of_a_body_reaches_another_owner(fields: dict[str, Any]) -> None:
    named = {"owner": "bob", "user": "bob", "collection": "bob/default", "metadata": {"owner": "bob"}}
    request = run_request({**fields, **body_of({"role": "user", "content": "Who approves it?"}), **named})
    assert (request.owner, request.context.owner) == ("ann", "ann")
    assert request.context.index_collection == "ann/default"


def test_a_thread_is_named_in_the_metadata() -> None:
    question = {"role": "user", "content": "Who approves it?"}
    assert run_request(body_of(question, metadata={"thread_id": "case-7", "other": "a"})).thread_id == "case-7"
    assert run_request(body_of(question, metadata={"other": "a"})).thread_id is None
    assert run_request(body_of(question, metadata=None)).thread_id is None


def test_of_a_long_conversation_the_last_turns_are_kept() -> None:
    said = [{"role": role, "content": f"{role} {n}"} for n in range(50) for role in ("user", "assistant")]
    history = run_request(body_of(*said, {"role": "user", "content": "Who?"})).history
    assert len(history) == 2 * LAST_TURNS
    assert history[-2:] == (("user", "user 49"), ("assistant", "assistant 49"))


def test_silent_messages_are_no_history() -> None:
    silent: list[dict[str, Any]] = [
        {"role": "assistant", "content": None},
        {"role": "assistant"},
        {"role": "user", "content": []},
    ]
    assert run_request(body_of(*silent, {"role": "user", "content": "Who?"})).history == ()
