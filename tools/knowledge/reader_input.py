"""What the span reader reads: a question with a passage, or with a window of a long one, as tokens of the base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from tools.ports import Span

_FIRST, _SEPARATOR = 101, 102
_LONGEST_QUESTION = 64
# Tokens of a question with what is read of the passage.
WINDOW = 384


@dataclass(frozen=True)
class ReaderInput:
    """`[CLS] question [SEP] passage [SEP]`.

    `parts` says which of the two texts a token belongs to, `offsets` are the characters of the passage's tokens, and
    `first` is the place of the first of these.
    """

    tokens: Sequence[int]
    parts: Sequence[int]
    offsets: Sequence[Span]
    first: int

    @property
    def end(self) -> int:
        """The place after the passage's last token."""
        return self.first + len(self.offsets)


def reader_inputs(tokenizer: Tokenizer, question: str, passage: str, *, window: int = WINDOW) -> Iterator[ReaderInput]:
    """The inputs for a question and a passage: one, or more that overlap where the passage is longer than `window`.

    A question of more than 64 tokens is cut; `window` must be larger. The tokenizer must neither pad nor truncate.
    """
    asked = tokenizer.encode(question.strip(), add_special_tokens=False).ids[:_LONGEST_QUESTION]
    read = tokenizer.encode(passage, add_special_tokens=False)
    room = window - len(asked) - 3
    overlap = room // 3
    for start in range(0, max(1, len(read.ids) - overlap), room - overlap):
        end = start + room
        tokens = [_FIRST, *asked, _SEPARATOR, *read.ids[start:end], _SEPARATOR]
        first = len(asked) + 2
        parts = [0] * first + [1] * (len(tokens) - first)
        yield ReaderInput(tokens, parts, read.offsets[start:end], first)
