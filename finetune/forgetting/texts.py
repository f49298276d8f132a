"""Running text whose perplexity is measured: packaged paragraphs, and a stranger's own files."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import cast

import yaml

from finetune.errors import RowsError
from finetune.rows import read_text

_MAX_PARAGRAPHS = 200
_MAX_CHARS = 1200
_MIN_CHARS = 20


def packaged_texts() -> dict[str, list[str]]:
    """Paragraphs of general, fraud and mixed text."""
    text = resources.files("finetune.forgetting").joinpath("texts.yaml").read_text("utf-8")
    return cast("dict[str, list[str]]", yaml.safe_load(text))


def own_texts(files: Sequence[Path]) -> dict[str, list[str]]:
    """Paragraphs of text files, by file name; at most 200 a file, cut after 1,200 characters.

    Raises RowsError for a file that cannot be read or holds no paragraph of at least 20 characters.
    """
    return {path.name: _paragraphs(path) for path in files}


def _paragraphs(path: Path) -> list[str]:
    found = [" ".join(part.split())[:_MAX_CHARS] for part in read_text(path).replace("\r\n", "\n").split("\n\n")]
    kept = [text for text in found if len(text) >= _MIN_CHARS]
    if not kept:
        raise RowsError(
            f"{path.name} holds no paragraph of at least {_MIN_CHARS} characters. Paragraphs are parted by an empty "
            "line.",
            code="no_text",
        )
    return kept[:_MAX_PARAGRAPHS]
