"""Terminals: consoles, progress and text that may come from a pipe."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tools.errors import InputError

_PIPE_WIDTH = 120


def output() -> Console:
    """Standard output: styled on a terminal, plain and wide in a pipe."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)


def notices() -> Console:
    """Standard error, for progress and remarks."""
    return Console(stderr=True, highlight=False)


@contextmanager
def working(console: Console, text: str) -> Generator[None]:
    """Show a spinner on a terminal while something takes its time."""
    if console.is_terminal:
        with console.status(text):
            yield
    else:
        yield


def progress_bar(console: Console, title: str, *, hidden: bool = False) -> Progress:
    """A bar that counts items, says how long it will take and goes away when it is done.

    Shown on a terminal only, and not when `hidden`.
    """
    counts = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    columns = (TextColumn(title), *counts, TextColumn("{task.description}"))
    return Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal)


def read_stdin() -> str:
    """Everything on standard input as text.

    Raises:
        InputError: `bad_encoding`, when it is not UTF-8.
    """
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("Standard input is not valid UTF-8 text.", code="bad_encoding") from None
