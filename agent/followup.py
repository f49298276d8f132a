"""Follow-ups made to stand alone: "And for debit cards?" needs the question before it.

The embedded model rewrites badly, so a rule does it there: the part of the last question that the follow-up replaces is
swapped for the follow-up's own words. Turns are never concatenated: that made retrieval worse than the last turn alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.knowledge.evidence import content_terms
from tools.knowledge.stopwords import ENGLISH_STOPWORDS

_MAX_WORDS = 14
_OPENERS = re.compile(
    r"^(?:(?:ok(?:ay)?|so|and|but|or|then|also|now|yes|no)\b[\s,]*)*"
    r"(?:(?:what|how) about|what if it(?:'s| is)|same (?:question )?for|and|but|or|also|for|with|in case of)\b[\s,]*",
    re.IGNORECASE,
)
_AUXILIARY = r"(?:is|are|was|were|does|do|did|can|could|may|must|should|will|would|has|have)"
# "And who approves it?" asks anew; "and when the customer is abroad?" only changes the last question.
_NEW_QUESTION = re.compile(
    rf"^(?:who|what|which|how|where|why|whose|{_AUXILIARY}\b|when {_AUXILIARY}\b)", re.IGNORECASE
)
_CONDITION = re.compile(r"^(for|with|of|in|on|to|from|by|at|under|after|before|when|if|without)\b\s*", re.IGNORECASE)
_REFERENCE = re.compile(r"\b(it|its|they|them|their|that|those|these|this|this one|that one)\b", re.IGNORECASE)
_ARTICLES = re.compile(r"^(?:(?:the|a|an|any|our|my|their)\s+)+", re.IGNORECASE)
_FUNCTION_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(ENGLISH_STOPWORDS))})\b|[?.!,;:]", re.IGNORECASE)
_WORD = re.compile(r"\w[\w'-]*")


def is_follow_up(message: str) -> bool:
    """Whether a message leans on the one before it: short, and opening like a continuation or pointing back."""
    words = _WORD.findall(message)
    if not words or len(words) > _MAX_WORDS or "\n" in message.strip():
        return False
    return bool(_OPENERS.match(message)) or (bool(_REFERENCE.search(message)) and len(content_terms(message)) <= 3)


def stand_alone(message: str, earlier: Sequence[str]) -> str:
    """`message` as a question of its own, given the stand-alone questions before it (oldest first)."""
    if not earlier or not is_follow_up(message):
        return message
    previous = earlier[-1].strip()
    rest = _OPENERS.sub("", message.strip(), count=1)
    if rest == message.strip() or _NEW_QUESTION.match(rest):
        return _resolve(rest[:1].upper() + rest[1:], previous)
    return _substitute(previous, rest) if content_terms(rest) else message


def _substitute(previous: str, rest: str) -> str:
    """Swap the phrase of `previous` that ends in the same noun as `rest`; else add `rest` as a condition."""
    body = previous.rstrip(" ?.!")
    condition = _CONDITION.match(rest)
    focus = _ARTICLES.sub("", _CONDITION.sub("", rest)).strip(" ?.!,")
    if span := _same_noun(body, focus):
        return f"{body[: span[0]]}{focus}{body[span[1] :]}?"
    return f"{body} {condition.group(1).lower() if condition else 'for'} {focus}?"


def _same_noun(body: str, focus: str) -> tuple[int, int] | None:
    """Where `body` holds a noun phrase with the last noun of `focus`: "credit card" for "debit cards"."""
    words = list(_WORD.finditer(body))
    noun = _stem(_WORD.findall(focus)[-1])
    last = next((i for i in range(len(words) - 1, -1, -1) if _stem(words[i].group()) == noun), None)
    if last is None:
        return None
    first = last
    while first and words[first - 1].group().lower() not in ENGLISH_STOPWORDS and _adjacent(body, words, first):
        first -= 1
    return words[first].start(), words[last].end()


def _adjacent(body: str, words: Sequence[re.Match[str]], position: int) -> bool:
    return body[words[position - 1].end() : words[position].start()] == " "


def _resolve(message: str, previous: str) -> str:
    """Name what "it" points to: the previous question's last run of content words."""
    topic = _topic(previous)
    if not topic or topic.lower() in message.lower():
        return message
    return _REFERENCE.sub(lambda m: f"{topic}'s" if m.group().lower() in {"its", "their"} else topic, message, count=1)


def _topic(question: str) -> str:
    named = [run.strip() for run in _FUNCTION_WORDS.split(question) if run.strip()]
    return f"the {named[-1]}" if named else ""


def _stem(word: str) -> str:
    terms = content_terms(word)
    return terms[0] if terms else word.lower()
