"""The same facts in other words and another order: training variety, and the measure of consistency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.fraud.narrative import Phrase, Topic

Group = tuple[Topic, ...]
_MONEY: Group = ("amount", "ratio", "round")
_COMPANY: Group = ("blacklist", "alert")
_HOW: Group = ("channel", "hour", "card_age", "counts")
_SHOP: Group = ("category", "merchant", "first_merchant", "first_category")
_WHERE: Group = ("where", "foreign", "travel", "speed")
_REST: Group = ("code", "detail")
_NOTE: Group = ("note",)
_GROUPS = (_MONEY, _COMPANY, _HOW, _SHOP, _WHERE, _REST, _NOTE)
_ORDER = {topic: place for place, topic in enumerate(topic for group in _GROUPS for topic in group)}

_PLAIN: dict[str, str] = {}
_FORMAL = {
    "times the usual amount": "times the customer's normal amount", "cash machine": "ATM withdrawal",
    "card present": "chip purchase", "online": "internet order", "phone order": "telephone order",
    "new merchant": "first purchase at this merchant", "known merchant": "merchant used before",
    "new category": "first purchase in this category", "known category": "category used before",
    "home country": "in the home country", "from the last in": "from the previous purchase in",
    "after the last": "after the previous purchase", "blacklisted merchant": "merchant on the blacklist",
    "suspicious code": "alert code", "note:": "remark:",
}  # fmt: skip
_TERSE = {
    "times the usual amount": "x usual", "cash machine": "ATM", "card present": "in store", "phone order": "by phone",
    "new merchant": "merchant is new", "known merchant": "merchant is known", "new category": "category is new",
    "known category": "category is known", "home country": "at home", "abroad": "in a foreign country",
    "from the last in": "away within", "after the last": "since the last one", "at night": "(night)", "note:": "memo:",
    "blacklisted merchant": "on the company's blacklist", "suspicious code": "code raises an alert",
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """One way to tell a transaction: an opening, the order of the groups of facts, and words to exchange."""

    name: str
    order: tuple[Group, ...]
    words: dict[str, str]
    opening: str = ""
    separator: str = ", "


STYLES: tuple[Style, ...] = (
    Style("formal", _GROUPS, _FORMAL),
    Style("terse", _GROUPS, _TERSE, separator="; "),
    Style("place first", (_WHERE, _SHOP, _MONEY, _COMPANY, _HOW, _REST, _NOTE), _PLAIN),
    Style("shop first", (_SHOP, _COMPANY, _MONEY, _WHERE, _HOW, _REST, _NOTE), _FORMAL, "Payment: "),
    Style("behaviour first", (_HOW, _MONEY, _SHOP, _WHERE, _COMPANY, _REST, _NOTE), _PLAIN, "Card payment, "),
    Style("note first", (_NOTE, _MONEY, _HOW, _SHOP, _WHERE, _REST, _COMPANY), _TERSE),
    Style("company first", (_COMPANY, _REST, _MONEY, _SHOP, _HOW, _WHERE, _NOTE), _PLAIN, separator="; "),
    Style("backwards", (_REST, _WHERE, _SHOP, _HOW, _COMPANY, _MONEY, _NOTE), _FORMAL, separator=". "),
    Style("amount last", (_SHOP, _WHERE, _HOW, _COMPANY, _REST, _NOTE, _MONEY), _TERSE, "Transaction: "),
    Style("history first", (_WHERE, _HOW, _COMPANY, _NOTE, _MONEY, _SHOP, _REST), _PLAIN, separator=" | "),
)


def paraphrase(phrases: Sequence[Phrase], style: Style) -> str:
    """These facts in this style; every fact is told once and none is added."""
    rank = {topic: (place, _ORDER[topic]) for place, group in enumerate(style.order) for topic in group}
    told = [_exchange(phrase.text, style.words) for phrase in sorted(phrases, key=lambda phrase: rank[phrase.topic])]
    return f"{style.opening}{style.separator.join(told)}."


def _exchange(text: str, words: dict[str, str]) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text
