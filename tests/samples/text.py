"""The text of a sample file as the tests compare it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pypdf import PdfReader

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"


def normalised(text: str) -> str:
    """Lower case with single spaces."""
    return " ".join(text.split()).casefold()


@cache
def sample_text(path: Path) -> str:
    """The normalised text of a sample: a PDF's text layer, or the file itself."""
    if path.suffix == ".pdf":
        return normalised("\n".join(page.extract_text() for page in PdfReader(path).pages))
    return normalised(path.read_text(encoding="utf-8"))
