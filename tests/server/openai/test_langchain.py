"""LangChain's ChatOpenAI as a client."""

from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.server.site import ANSWER, FOLLOW_UP, QUESTION, Site


def chat_model(site: Site) -> ChatOpenAI:
    return ChatOpenAI(
        model="switchyard", base_url=f"{site.url}/v1", api_key=SecretStr("anything"), max_retries=0, stream_usage=True
    )


def test_a_question_is_answered(site: Site) -> None:
    answer = chat_model(site).invoke([SystemMessage("Be brief."), HumanMessage(QUESTION)])
    assert answer.text == f"{ANSWER} [1]"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["total_tokens"] > 0
    assert answer.response_metadata["finish_reason"] == "stop"


def test_a_conversation_goes_on(site: Site) -> None:
    answer = chat_model(site).invoke([HumanMessage(QUESTION), AIMessage(f"{ANSWER} [1]"), HumanMessage(FOLLOW_UP)])
    assert "debit card" in answer.text


async def test_an_answer_is_streamed_with_its_usage(site: Site) -> None:
    chunks = [chunk async for chunk in chat_model(site).astream(QUESTION)]
    assert "".join(chunk.text for chunk in chunks) == f"{ANSWER} [1]"
    assert sum(chunk.usage_metadata["output_tokens"] for chunk in chunks if chunk.usage_metadata) > 0
