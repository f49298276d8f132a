from __future__ import annotations

import re

import pytest

from finetune.data.paraphrase import STYLES, Style, paraphrase
from tools.fraud import derive_features, load_policy, narrate, read_transaction
from tools.fraud.narrative import phrases

FACTS = {
    "amount": "2,400 EUR", "usual_amount": 45, "channel": "online", "time": "03:12", "card_age": "3 days",
    "count_1h": 4, "category": "electronics", "merchant": "Zed Cars", "new_merchant": "yes", "new_category": "no",
    "country": "NG", "home_country": "DE", "minutes_since_last": 30, "code": "TX-110",
    "note": "same device for 4 months",
}  # fmt: skip
TRANSACTION = read_transaction(FACTS)
TOLD = phrases(TRANSACTION, derive_features(TRANSACTION, load_policy()))


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_every_number_and_name_is_told_once(style: Style) -> None:
    text = paraphrase(TOLD, style)
    served = narrate(TRANSACTION, derive_features(TRANSACTION, load_policy()))
    assert sorted(re.findall(r"\d+", text)) == sorted(re.findall(r"\d+", served))
    assert text.count("Zed Cars") == 1
    assert text.count("same device for 4 months") == 1


def test_styles_differ_from_each_other_and_from_the_served_narrative() -> None:
    texts = {paraphrase(TOLD, style) for style in STYLES}
    assert len(texts) == len(STYLES) == 10
    assert narrate(TRANSACTION, derive_features(TRANSACTION, load_policy())) not in texts


def test_orders_hold_every_topic_once() -> None:
    for style in STYLES:
        topics = [topic for group in style.order for topic in group]
        assert len(topics) == len(set(topics)) == 20
