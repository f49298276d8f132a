"""Sentences of documents that speak to whoever answers, not to whoever reads: they are left out of passages.

Patterns for orders about answers themselves (what to ignore, whom to cite, what to say to a question), also disguised.
A document about assistants may well say what an assistant must do: a question about one keeps such sentences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from tools.disguise import undisguised
from tools.knowledge.chunk_around import without_spans
from tools.knowledge.documents import Passage
from tools.knowledge.evidence import content_terms
from tools.knowledge.sentences import Sentence, split_sentences
from tools.knowledge.unicode import without_invisible
from tools.ports import Span
from tools.untrusted import inert

_REMEMBERED_TEXTS = 4096
# A sentence with this share of a question's terms repeats it.
_REPEATED = 0.8
_MIN_REPEATED_TERMS = 2

_NEAR = r"\W(?:[^.!?]{0,60}\W)?"
_OVERRIDE = re.compile(
    r"(?<!never )(?<!not )\b(?:ignor(?:e|ing)|disregard|forget|overrid(?:e|ing)|drop)"
    rf"{_NEAR}(?:(?:all|any|the|your|these)?\W*(?:previous|prior|earlier|above|preceding)\W+(?:\w+\W+)?"
    r"(?:instructions?|rules?|prompts?|text|messages?)"
    r"|instructions?|prompts?|other\W+(?:passages?|documents?|sources?)|what\W+other\W+(?:passages?|documents?|sources?)"
    r"|the\W+question)\b"
    r"|\brules?\W+above\W+no\W+longer\b|^\W*override\W*:"
    r"|\b(?:ignorier\w*|vergiss|vergesst|missacht\w*)\W[^.!?]{0,40}(?:anweisung|regel|vorgabe)\w*"
    r"|\b(?:ignorez|oubliez)\W[^.!?]{0,40}(?:instructions?|consignes?|question)\b"
    r"|\b(?:ignor[ae]|olvid[ae])\W[^.!?]{0,40}(?:instrucciones|reglas|pregunta)\b",
    re.IGNORECASE,
)
_READER = r"(?:assistants?|a\.?i\.?|language\W+models?|llms?|chat\W?bots?|models\W+reading|copilot)"
_ADDRESSED = re.compile(
    rf"\b{_READER}\b{_NEAR}(?:must|shall|should|has\W+to|have\W+to|needs?\W+to|asks?\W+you|answer|repl(?:y|ies)|respond)\b"
    rf"|\b(?:note|message|instructions?|dear)\W+(?:(?:to|for)\W+)?(?:the\W+)?{_READER}\b"
    rf"|\byou\W+are\W+(?:now|an?)\W[^.!?]{{0,30}}(?:{_READER}|model|without\W+restrictions)\b"
    r"|\b(?:print|show|reveal|repeat|read|output)\W[^.!?]{0,30}"
    r"(?:system\W+prompts?|hidden\W+(?:configuration|instructions?|rules?|prompts?))\b"
    r"|\b(?:expected|correct|whole|required)\W+(?:output|reply|response|completion)\b",
    re.IGNORECASE,
)
_SOURCES = re.compile(
    r"\b(?:cit(?:e|es|ing|ation)|quot(?:e|es|ing)|source|mention|reference)\b"
    rf"{_NEAR}(?:(?:no|every|any|all)\W+(?:the\W+)?others?\b|only\W+source|very\W+(?:line|sentence)|never\W+the\W+document)"
    r"|\b(?:remove|leave\W+out)\W[^.!?]{0,20}others?\W+(?:references?|citations?|sources?|passages?)\b"
    r"|\bas\W+the\W+(?:only\W+)?source\W+(?:of|for)\W+(?:your|the)\W+answers?\b",
    re.IGNORECASE,
)
_ROLES = re.compile(
    r"(?:^|\s)(?:system|assistant|developer)\s*:\s.*(?:^|\s)(?:system|assistant|user|human)\s*:\s"
    r"|#{2,}\s*(?:instructions?|response|system)\s*:|<\s*/?\s*(?:passage|sentences|document|said)\b",
    re.IGNORECASE | re.DOTALL,
)
_PATTERNS = (_OVERRIDE, _ADDRESSED, _SOURCES, _ROLES)
_TELLS = re.compile(
    r"\b(?:if|when(?:ever)?)\W[^.!?]{0,40}ask(?:s|ed)?\b|\b(?:say|answer|reply|respond|tell)\b", re.IGNORECASE
)
_ABOUT_READERS = re.compile(rf"\b(?:{_READER}|prompts?|prompt\W+injections?|models?)\b", re.IGNORECASE)


def order_spans(text: str) -> list[Span]:
    """Where a page has sentences that are orders, whatever the question: nothing is found by what they say."""
    if not _may_hold_orders(text):
        return []
    return [(one.start, one.end) for one in _orders(text, frozenset(), about_readers=False)]


def without_orders(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages without sentences that tell how to answer; those that hold nothing else are left out. Blocks.

    What stays of a passage is verbatim.
    """
    about_readers = bool(_ABOUT_READERS.search(question))
    terms = frozenset(content_terms(question))
    kept = (_without(passage, terms, about_readers=about_readers) for passage in passages)
    return [passage for passage in kept if passage is not None]


def _without(passage: Passage, terms: frozenset[str], *, about_readers: bool) -> Passage | None:
    left_out = _orders(passage.text, terms, about_readers=about_readers)
    # The vectors that are stored are those of a passage without what is an order whatever is asked.
    as_stored = left_out == _orders(passage.text, frozenset(), about_readers=False)
    if left_out:
        text = without_spans(passage.text, [(one.start, one.end) for one in left_out])
        if all(one.text.lstrip().startswith("#") for one in split_sentences(text)):
            return None
        passage = replace(passage, text=text)
    return passage if as_stored else replace(passage, sentence_vectors="")


def _orders(text: str, terms: frozenset[str], *, about_readers: bool) -> list[Sentence]:
    """A text's orders, each with the question before it: what an order is about is no answer either."""
    sentences = split_sentences(text)
    orders = [_is_order(one.text, about_readers) or _answers_by_order(one.text, terms) for one in sentences]
    return [
        one
        for at, one in enumerate(sentences)
        if orders[at] or (one.text.rstrip().endswith("?") and any(orders[at + 1 : at + 2]))
    ]


def _may_hold_orders(text: str) -> bool:
    """Whether it pays to look at single sentences; takes 0.4 ms for 1,000 characters."""
    seen, visible = undisguised(text), without_invisible(text)
    return any(pattern.search(seen) for pattern in _PATTERNS) or inert(visible) != visible


@lru_cache(maxsize=_REMEMBERED_TEXTS)
def _is_order(sentence: str, about_readers: bool) -> bool:
    seen, visible = undisguised(sentence), without_invisible(sentence)
    if _OVERRIDE.search(seen) or _SOURCES.search(seen) or _ROLES.search(seen) or inert(visible) != visible:
        return True
    return not about_readers and bool(_ADDRESSED.search(seen))


def _answers_by_order(sentence: str, terms: frozenset[str]) -> bool:
    """Whether a sentence repeats the question and says what to say to it."""
    if len(terms) < _MIN_REPEATED_TERMS or not _asks_and_tells(sentence):
        return False
    return len(terms & set(content_terms(sentence))) >= _REPEATED * len(terms)


@lru_cache(maxsize=_REMEMBERED_TEXTS)
def _asks_and_tells(sentence: str) -> bool:
    return len({match[0].lower()[:2] for match in _TELLS.finditer(undisguised(sentence))}) > 1
