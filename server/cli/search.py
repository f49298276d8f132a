"""`switchyard search`: passages without an answer."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated

import orjson
import typer

from agent.settings import Settings
from server.cli.backend import Json, open_backend
from server.cli.cards import passage_list
from server.cli.failures import reported_failures
from server.cli.terminal import notices, output


class Mode(StrEnum):
    """How passages are compared with the query."""

    HYBRID = "hybrid"
    DENSE = "dense"
    SPARSE = "sparse"


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    top_k: Annotated[int, typer.Option("--top-k", "-k", min=1, max=100, help="How many passages.")] = 5,
    mode: Annotated[Mode, typer.Option(help="By meaning (dense), by words (sparse), or both.")] = Mode.HYBRID,
    rerank: Annotated[
        bool, typer.Option(help="Order the passages by their best sentence, or by SWITCHYARD_RERANKER.")
    ] = False,
    collection: Annotated[str, typer.Option(help="The collection to search.")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Find the passages that answers are made from, best first.

    Example: switchyard search "dispute window credit card" --top-k 3 --mode sparse
    """
    body = {"query": query, "top_k": top_k, "mode": mode.value, "rerank": rerank, "collection": collection}
    with reported_failures():
        found = asyncio.run(_search(body))
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    elif found["results"]:
        output().print(passage_list(found["results"]))
    else:
        output().print("No passages. Add documents with: switchyard ingest PATH")


async def _search(body: Json) -> Json:
    async with open_backend(Settings(), notices(), samples=True) as backend:
        return await backend.search(body)
