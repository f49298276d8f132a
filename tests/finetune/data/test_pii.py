from __future__ import annotations

import pytest

from finetune.data.pii import mask_personal_data


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to ana.lo@example.org now", "write to [email] now"),
        ("card 4111 1111 1111 1111 used", "card [card] used"),
        ("from IBAN DE89 3704 0044 0532 0130 00.", "from IBAN [iban]."),
        ("call +353 1 555 0199", "call [phone]"),
        ("ssn 078-05-1120", "ssn [ssn]"),
        ("from 192.168.0.7", "from [ip]"),
    ],
)
def test_personal_data_are_replaced_by_their_kind(text: str, masked: str) -> None:
    assert mask_personal_data(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "2400 EUR, 53 times the usual amount, 4 this hour 9 today 20 this week, code TX-105",
        "order 1234567890123456",
        "0000 0000 0000 0000",
        "version 1.2.3.999",
    ],
)
def test_ordinary_numbers_stay(text: str) -> None:
    assert mask_personal_data(text).text == text
    assert not mask_personal_data(text).found
