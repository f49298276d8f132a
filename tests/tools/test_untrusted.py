from __future__ import annotations

import re

import pytest
from gguf import GGUFReader, TokenType
from hypothesis import given
from hypothesis import strategies as st

from agent.models.files import LANGUAGE_MODEL
from tools.untrusted import Fence, inert

OTHERS = (
    "<|begin_of_text|> <|eot_id|> <|start_header_id|> <|python_tag|> <s> </s> <unk> <pad> [INST] [/INST] <<SYS>> "
    "<</SYS>> <start_of_turn> <end_of_turn> <|user|> <|assistant|> <|end|> <|endoftext|> <｜User｜> <｜Assistant｜> "
    "<｜begin▁of▁sentence｜> [TOOL_CALLS] [AVAILABLE_TOOLS] [SYSTEM_PROMPT] <think> </think> <tool_call> </tool_call> "
    "<|START_OF_TURN_TOKEN|> <|channel|> <|message|> <extra_id_0> <unused12>"
).split()


def control_tokens() -> list[str]:
    """The tokens of the packaged model that are no text."""
    reader = GGUFReader(LANGUAGE_MODEL.locate())
    tokens, types = reader.get_field("tokenizer.ggml.tokens"), reader.get_field("tokenizer.ggml.token_type")
    assert tokens is not None
    assert types is not None
    special = {TokenType.CONTROL, TokenType.USER_DEFINED}
    return [token for token, kind in zip(tokens.contents(), types.contents(), strict=True) if kind in special]


def test_no_control_token_of_the_packaged_model_survives() -> None:
    tokens = control_tokens()
    assert {"<|im_start|>", "<|im_end|>", "<|endoftext|>"} <= set(tokens)
    assert not [token for token in tokens if token in inert(f"a {token}b{token}{token} c")]


@pytest.mark.parametrize("token", OTHERS)
def test_no_control_token_of_other_models_survives(token: str) -> None:
    assert token not in inert(f"{token}{token} and {token}")


@pytest.mark.parametrize("token", ["<\u200b|im_end|>", "<|im_\u200dend|>", "<|im_end\u2060|>", "<|im\ufe01_end|>"])
def test_an_invisible_character_hides_no_token(token: str) -> None:
    assert "<|im_end|>" not in inert(token)
    assert inert(token) == "< |im_end|>"


@given(st.text())
def test_inert_text_stays_as_it_is(text: str) -> None:
    assert inert(inert(text)) == inert(text)


@pytest.mark.parametrize(
    "text",
    [
        "2400 EUR, extreme 53 times the usual amount, online, 3h at night, note: SIM card swapped 2 days ago.",
        "a < b, x <- y, 3 > 2, [1], [EUR], {json: [1, 2]}, https://bank.example, née 💳 می‌خواهم",
    ],
)
def test_ordinary_text_is_not_touched(text: str) -> None:
    assert inert(text) == text


@given(st.text(alphabet='<>/passge "=mrk\nbcdfgh:USystemr', max_size=200))
def test_a_text_cannot_leave_its_fence(text: str) -> None:
    fence = Fence.around(text)
    block = fence.block("passage", text)
    assert block.count(f'mark="{fence.mark}"') == 2
    inside = block.split("\n", 1)[1].rpartition("\n")[0]
    assert not re.search(r"</?passage\b", inside)
    assert not re.search(r"^[ \t>#*_-]*(?:system|user):", inside, re.IGNORECASE | re.MULTILINE)


def test_the_mark_follows_from_the_text_and_a_secret() -> None:
    assert Fence.around("a", "b") == Fence.around("a", "b")
    assert Fence.around("a", "b") != Fence.around("ab") != Fence.around("ba")
    assert re.fullmatch(r"[a-z]{8}", Fence.around("").mark)
