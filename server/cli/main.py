"""`switchyard`: the command line's entry point."""

from __future__ import annotations

import os

# Before anything imports langgraph, langchain or a hub client: nothing is fetched, nothing is reported to anybody,
# and checkpoints hold plain data only.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("LANGSMITH_TRACING", "false")
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

import typer

from server.cli.registry import LazyGroup

app = typer.Typer(
    cls=LazyGroup,
    help="A self-hosted copilot for fraud operations.",
    epilog='Start with: switchyard serve, or: switchyard ask "How long is the dispute window?"',
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _group() -> None:
    """Keep commands as subcommands."""


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
