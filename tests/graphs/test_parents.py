"""Questions that read what stands beside the passages that were found (`SWITCHYARD_PARENT_TOKENS`)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from agent.services import Services
from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.graphs.conftest import converse
from tests.graphs.conversation import Turn
from tools.knowledge.chunking import ChunkSettings
from tools.knowledge.documents import Page, ParsedDocument

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "How long is a parking permit of the garage valid?"
# Every second line is about the permit, and no other line shares a word with the question.
LINES = [
    line
    for n in range(1, 13)
    for line in (
        f"A parking permit of garage number {n} is valid for {10 + n} days after it was issued by the desk.",
        f"Keepers whose name starts with letter {n} walk their dogs along the river before breakfast on weekdays.",
    )
]
DOCUMENT = ParsedDocument("Permits", [Page("# Permits\n\n" + "\n\n".join(LINES))], "text/markdown")
READ = 5


async def ask(services: Services, fake: FakeEndpoint, tokens: int) -> tuple[Turn, list[str]]:
    """The turn, and the lines that the model was shown, passage by passage."""
    collection = "local/permits"
    if not await services.index.count(collection):
        await services.index.add(collection, "permits", DOCUMENT, settings=ChunkSettings(size=30, overlap=0))
    turn = await converse(replace(services, parent_tokens=tokens)).say(QUESTION, collection="permits")
    prompt = fake.requests[-1]["messages"][-1]["content"]
    shown = re.findall(r"<passage [^>]*>\nTitle: .*\n((?:.|\n)*?)\n</passage", prompt)
    return turn, shown


def cite(number: int, text: str) -> Reply:
    return Reply(f"{text} [{number}]")


async def test_without_the_setting_only_what_was_found_is_read(services: Services, fake: FakeEndpoint) -> None:
    _, shown = await ask(services, fake, 0)
    assert len(shown) == READ
    assert all("parking permit" in one for one in shown)


@pytest.mark.parametrize("tokens", [30, 60, 4000])
async def test_neighbours_follow_what_was_found_within_the_budget(
    services: Services, fake: FakeEndpoint, tokens: int
) -> None:
    _, found = await ask(services, fake, 0)
    _, shown = await ask(services, fake, tokens)
    beside = shown[READ:]
    assert shown[:READ] == found
    assert beside
    assert len(set(shown)) == len(shown)
    assert sum(map(services.embedder.count_tokens, beside)) <= tokens
    assert all({_place(one) - 1, _place(one) + 1} & set(map(_place, found)) for one in beside)


async def test_what_is_quoted_from_a_neighbour_is_cited_where_it_stands(services: Services, fake: FakeEndpoint) -> None:
    def reply(body: dict[str, Any]) -> Reply:
        [line] = re.findall(rf'<passage n="{READ + 1}"[^>]*>\nTitle: .*\n(.*)', body["messages"][-1]["content"])
        return cite(READ + 1, line)

    fake.script = reply
    turn, shown = await ask(services, fake, 60)
    [citation] = turn.result.citations
    assert citation.quote == shown[READ]
    assert citation.chunk_id not in {one["chunk_id"] for one in turn.result.explanation["passages"][:READ]}
    stored = await services.index.search("local/permits", shown[READ], top_k=1)
    assert citation.chunk_id == stored[0].chunk_id


def _place(text: str) -> int:
    """Which of the lines a passage ends with."""
    return LINES.index(text.splitlines()[-1])
