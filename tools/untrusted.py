"""Text that somebody else wrote, made fit to stand in a prompt.

`inert` takes from a text what a tokenizer or chat template would read as control: it guards every model call
(`agent.models.endpoint_client`). `Fence` shows the model where quoted material begins and ends, which is called
spotlighting.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from tools.knowledge.unicode import without_invisible

# Look-alikes count: some tokenizers normalise them to the real characters.
_LESS_THAN = "<＜﹤"
_BAR = "|｜¦∣︱❘"
_CONTROL = re.compile(
    rf"[{_LESS_THAN}](?=[{_BAR}]"  # <|im_start|>, <|eot_id|>, <｜User｜>
    r"|/?[A-Za-z_][\w.:-]{0,40}[>＞﹥]"  # <s>, </s>, <start_of_turn>, <file_sep>, <think>
    r"|[<＜﹤]\s*/?\s*SYS)"  # <<SYS>>
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|CLS|SEP|MASK|PAD|UNK)\])"
)
# Templates without control tokens tell roles by lines such as "Assistant:" and "### Instruction:".
_ROLE_LINE = re.compile(
    r"^([ \t>#*_-]*(?:system|user|assistant|human|developer|tool|instructions?|response)\b[ \t*_]*)(?=[:：])",
    re.IGNORECASE | re.MULTILINE,
)
_TAG = re.compile(rf"[{_LESS_THAN}](?=\s*/?\s*(?:passage|sentences|document|said)\b)", re.IGNORECASE)

# Bytes can be smuggled in selectors of glyph variants, of which a model needs none.
_VARIANTS = re.compile("[\ufe00-\ufe0e\U000e0100-\U000e01ef]")

# The mark cannot be foreseen: nobody outside of this process knows the key.
_KEY = secrets.token_bytes(32)
_LETTERS = "bcdfghjkmnpqrstvwxz"
_MARK_LENGTH = 8


def inert(text: str) -> str:
    """`text` without invisible characters, with a space inside whatever could be a control token.

    Ordinary text comes back byte for byte.
    """
    return _CONTROL.sub(lambda match: f"{match[0]} ", without_invisible(_VARIANTS.sub("", text)))


@dataclass(frozen=True)
class Fence:
    """Tags around quoted material that the material cannot contain: they carry a mark made from it and a secret.

    The same material gets the same mark as long as the process lives, so that prompt caches work; a text that names
    the mark of an earlier prompt is another text and gets another mark.
    """

    mark: str

    @classmethod
    def around(cls, *texts: str) -> Fence:
        """The fence for these texts."""
        digest = hmac.new(_KEY, "\0".join(texts).encode("utf-8", "replace"), hashlib.sha256).digest()
        return cls("".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_MARK_LENGTH]))

    def block(self, name: str, text: str, attributes: str = "") -> str:
        """`text` between two marked tags called `name`; the opening one carries `attributes`, which are our own."""
        opening = f"{name} {attributes}" if attributes else name
        return f'<{opening} mark="{self.mark}">\n{_quoted(text)}\n</{name} mark="{self.mark}">'


def _quoted(text: str) -> str:
    """A text that opens no role and no tag of ours."""
    return _TAG.sub(lambda match: f"{match[0]} ", _ROLE_LINE.sub(r"\1 ", inert(text)))
