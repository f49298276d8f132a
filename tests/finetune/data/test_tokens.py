from __future__ import annotations

import pytest

pytest.importorskip("gguf", reason="read with the finetune extra")

from finetune.data.tokens import count_tokens, packaged_tokenizer


def test_every_digit_is_a_token_and_text_survives_the_round_trip() -> None:
    assert count_tokens()("12345") == 5
    text = "2400 EUR, extreme 53 times the usual amount; café"
    ids = packaged_tokenizer().encode(text, add_special_tokens=False).ids
    pieces = [packaged_tokenizer().id_to_token(number) for number in ids]
    assert "".join(pieces).replace("Ġ", " ").startswith("2400 EUR, extreme 53 times the usual amount; caf")


def test_the_chat_markers_are_in_the_vocabulary() -> None:
    assert packaged_tokenizer().token_to_id("<|im_start|>") is not None
