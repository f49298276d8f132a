"""Rows as token ids: what all rows share is kept once, over-length rows fail before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from finetune.errors import RowsError
from tools.fraud.prompt import LabelPrompt


@dataclass(frozen=True)
class Encoded:
    """Prompts of several rows: `prefix` ids that all begin with, and each row's own ids after it (at least one)."""

    prefix: list[int]
    rows: list[list[int]]

    @property
    def lengths(self) -> list[int]:
        """Tokens of each row beyond the prefix."""
        return [len(row) for row in self.rows]

    @property
    def tokens(self) -> int:
        """Tokens to compute: the rows' own and the prefix once."""
        return sum(self.lengths) + len(self.prefix)

    def some(self, rows: Sequence[int]) -> Encoded:
        """Only these rows, by index."""
        return Encoded(self.prefix, [self.rows[row] for row in rows])


def encode(tokenizer: Any, prompt: LabelPrompt, texts: Sequence[str], max_length: int) -> Encoded:
    """Token ids of the prompts, up to where the label begins.

    Raises RowsError naming every row of more than `max_length` tokens: cutting it would cut the label off.
    """
    rendered = [render(tokenizer, prompt, text) for text in texts]
    ids: list[list[int]] = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in rendered]
    too_long = {number: f"{len(row)} tokens" for number, row in enumerate(ids, 1) if len(row) > max_length}
    if too_long:
        raise RowsError(
            f"{len(too_long)} of {len(ids)} rows have more than max_length={max_length} tokens (the longest "
            f"{max(map(len, ids))}). Shorten them or raise max_length.",
            too_long,
            code="over_length",
        )
    shared = _shared_prefix(ids)
    return Encoded(ids[0][:shared], [row[shared:] for row in ids])


def render(tokenizer: Any, prompt: LabelPrompt, text: str) -> str:
    """The whole prompt as text, in the model's chat format, ending where the answer begins."""
    messages = [{"role": message.role, "content": message.content} for message in prompt.messages(text)]
    rendered: str = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return rendered


def first_token(tokenizer: Any, word: str) -> int:
    """The id of the token that a word begins with."""
    ids: list[int] = tokenizer(word, add_special_tokens=False)["input_ids"]
    return ids[0]


def _shared_prefix(ids: list[list[int]]) -> int:
    # The smallest and the largest row differ first where any two rows do.
    first, last = min(ids), max(ids)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    return min(shared, *(len(row) - 1 for row in (first, last)), min(map(len, ids)) - 1)
