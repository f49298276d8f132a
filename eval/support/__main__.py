"""`python -m eval.support`: compare checks of support on labelled statements, keep the figures, write the page."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from agent.models.files import embedding_folder
from eval.support.pairs import load_pairs, scores
from eval.support.report import PAGE, RESULT, page, report
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.sparse import Bm25Encoder


def main() -> None:
    """Measure, print the page, write it and the result."""
    argparse.ArgumentParser(prog="python -m eval.support", description=__doc__).parse_args()
    pairs = load_pairs()
    with tempfile.TemporaryDirectory() as folder:
        measured = report(pairs, scores(pairs, Bm25Encoder(), MiniLMEmbedder(embedding_folder(Path(folder)))))
    RESULT.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(measured), encoding="utf-8")
    print(page(measured))


if __name__ == "__main__":
    main()
