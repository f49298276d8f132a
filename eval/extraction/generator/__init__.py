"""Documents of our own with gold values, from templates.

There are two sides, `train` and `held_out`, that share no wording, no layout and no name (a test holds them to it):
what is developed or trained on the one is measured on the other.
"""

from eval.extraction.generator.generate import KINDS, Side, generate

__all__ = ["KINDS", "Side", "generate"]
