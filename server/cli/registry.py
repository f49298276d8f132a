"""The commands of `switchyard`: a command's modules are imported when it runs, so that help and errors come at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class LazyCommand:
    """Where a command lies (`module:attribute`, a function or a `typer.Typer`) and what the list of commands says."""

    target: str
    summary: str


COMMANDS: Mapping[str, LazyCommand] = {
    "serve": LazyCommand("server.cli.serve:serve", "Serve the page and the API."),
    "ask": LazyCommand("server.cli.ask:ask", "Ask a question, read a document or judge a transaction."),
    "ingest": LazyCommand("server.cli.ingest:ingest", "Add files and folders to the documents that answers come from."),
    "failed": LazyCommand("server.cli.failed:failed", "List the documents that could not be read, or try them again."),
    "search": LazyCommand("server.cli.search:search", "Find the passages that answers are made from."),
    "extract": LazyCommand("server.cli.extract:extract", "Read a document into a schema, each value with its place."),
    "corrections": LazyCommand("server.cli.corrections:app", "Make training rows of what people corrected."),
    "score": LazyCommand("server.cli.score:score", "Score transactions for fraud, one or a whole file."),
    "eval": LazyCommand("server.cli.evaluate:app", "Replay golden queries and judge the answers."),
    "models": LazyCommand("server.cli.models:models", "Show which model serves which role, and check the model files."),
    "prompts": LazyCommand("server.cli.prompts:app", "Look at the prompts, and choose which versions are in use."),
    "keys": LazyCommand("server.cli.keys:app", "Make, list, rotate and revoke API keys."),
    "audit": LazyCommand("server.cli.audit:app", "Verify the log of decisions, and export it."),
    "prune": LazyCommand("server.cli.prune:prune", "Let go of what has been kept long enough."),
    "doctor": LazyCommand("server.cli.doctor:doctor", "Say what is there, what is missing and how to mend it."),
}


class LazyGroup(TyperGroup):
    """Lists the commands by their summaries; loads the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        """Add a placeholder for each command."""
        super().__init__(**attributes)
        for name, command in COMMANDS.items():
            self.add_command(TyperCommand(name, help=command.summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that `args` begin with, imported, and the arguments left for it."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found if name is None else load_command(name), rest


def load_command(name: str) -> Any:
    """Import a command."""
    module, _, attribute = COMMANDS[name].target.partition(":")
    target = getattr(import_module(module), attribute)
    if isinstance(target, typer.Typer):
        return typer.main.get_command(target)
    alone = typer.Typer(add_completion=False)
    alone.command(name)(target)
    return typer.main.get_command(alone)
