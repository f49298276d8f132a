"""`switchyard`: the command line's entry point."""

from __future__ import annotations

import typer

# Sets the offline switches before anything imports langgraph, langchain or a hub client.
import tools  # noqa: F401  # pyright: ignore[reportUnusedImport]
from server.cli import allocator
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
    allocator.collect_rarely()
    app()


if __name__ == "__main__":
    main()
