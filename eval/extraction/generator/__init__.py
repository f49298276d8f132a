"""Documents of our own with gold values, from templates.

There are two sides, `train` and `held_out`, that share no wording, no layout and no name (a test holds them to it):
what is developed or trained on the one is measured on the other. Each has unusual layouts of receipts and contracts
beside its usual ones.
"""

from eval.extraction.generator.generate import (
    KINDS,
    UNUSUAL_KINDS,
    Side,
    WrittenDocument,
    generate,
    generate_unusual,
    write_documents,
)

__all__ = [
    "KINDS",
    "UNUSUAL_KINDS",
    "Side",
    "WrittenDocument",
    "generate",
    "generate_unusual",
    "write_documents",
]
