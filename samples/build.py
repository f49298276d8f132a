"""Build what `samples/` does not keep by hand: the PDFs and the card transactions.

Run `python -m samples.build` in the repository's root (needs the `dev` extra). The result is committed; a test
rebuilds it and compares bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from samples.pdf import write_pdf
from samples.simulator import write_transactions

SAMPLES = Path(__file__).parent


def build(target: Path) -> list[Path]:
    """Write every generated sample below the folder `target`, laid out as in `samples/`, and return the files."""
    sources = SAMPLES / "sources"
    written: list[Path] = []
    for source in sorted(sources.rglob("*.md")):
        pdf = (target / source.relative_to(sources)).with_suffix(".pdf")
        pdf.parent.mkdir(parents=True, exist_ok=True)
        write_pdf(source.read_text(encoding="utf-8"), pdf)
        written.append(pdf)
    transactions = target / "transactions" / "transactions.jsonl"
    transactions.parent.mkdir(parents=True, exist_ok=True)
    write_transactions(SAMPLES / "blacklist.csv", transactions)
    return [*written, transactions]


def main() -> None:
    """Build into `samples/`, or into the folder that `--target` names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=Path, default=SAMPLES)
    for path in build(parser.parse_args().target):
        print(path)


if __name__ == "__main__":
    main()
