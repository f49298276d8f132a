"""Sentences of documents that speak to whoever answers, not to whoever reads: they are left out of passages.

Patterns for orders about answers themselves (what to ignore, whom to cite, what to say to a question), also disguised.
A document about assistants may well say what an assistant must do: a question about one keeps such sentences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tools.disguise import undisguised
from tools.knowledge.chunk_around import without_spans
from tools.knowledge.documents import Passage
from tools.knowledge.evidence import content_terms
from tools.knowledge.sentences import Sentence, split_sentences
from tools.knowledge.unicode import without_invisible
from tools.knowledge.words import word_list
from tools.ports import Span
from tools.untrusted import inert

_REMEMBERED_TEXTS = 4096
# A sentence with this share of a question's terms repeats it.
_REPEATED = 0.8
_MIN_REPEATED_TERMS = 2
# Sentences: a question of two, and what to say to it.
_LONGEST_BAIT = 4

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
    r"|\b(?:expected|correct|whole|required)\W+(?:output|reply|response|completion)\b"
    r"|\btreat\W+(?:the|this)\W+(?:user\W*s?\W+)?(?:message|question|query|conversation|prompt)\W+as\b"
    r"|\b(?:call|invoke)\W+(?:the\W+)?(?:tool|function)\b|\bcall\W+\w+_\w+",
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
_ASKS = re.compile(r"\b(?:if|when(?:ever)?)\W[^.!?]{0,40}ask(?:s|ed)?\b", re.IGNORECASE)
_TELLS = re.compile(r"\b(?:say|answer|reply|respond|tell)\b", re.IGNORECASE)
_ABOUT_READERS = re.compile(rf"\b(?:{_READER}|prompts?|prompt\W+injections?|models?)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Asked:
    """What a question means for what is an order: its terms, its words, and whether it is about assistants."""

    terms: frozenset[str] = frozenset()
    words: str = ""
    about_readers: bool = False

    @classmethod
    def by(cls, question: str) -> _Asked:
        about_readers = bool(_ABOUT_READERS.search(question))
        return cls(frozenset(content_terms(question)), _words(question), about_readers)


_NOTHING_ASKED = _Asked()


def order_spans(text: str) -> list[Span]:
    """Where a page has sentences that are orders, whatever the question: nothing is found by what they say."""
    if not _may_hold_orders(text):
        return []
    return [(one.start, one.end) for one in _orders(text, _NOTHING_ASKED)]


def without_orders(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages without sentences that tell how to answer; those that hold nothing else are left out. Blocks.

    What stays of a passage is verbatim.
    """
    asked = _Asked.by(question)
    kept = (_without(passage, asked) for passage in passages)
    return [passage for passage in kept if passage is not None]


def _without(passage: Passage, asked: _Asked) -> Passage | None:
    left_out = _orders(passage.text, asked)
    # The vectors that are stored are those of a passage without what is an order whatever is asked.
    as_stored = left_out == _orders(passage.text, _NOTHING_ASKED)
    if left_out:
        text = without_spans(passage.text, [(one.start, one.end) for one in left_out])
        if all(one.text.lstrip().startswith("#") for one in split_sentences(text)):
            return None
        passage = replace(passage, text=text)
    return passage if as_stored else replace(passage, sentence_vectors="")


def _orders(text: str, asked: _Asked) -> list[Sentence]:
    """A text's orders, each with the question before it: what an order is about is no answer either."""
    sentences = split_sentences(text)
    answering = _answering(sentences, asked.terms)
    found: list[Sentence] = []
    below = False
    for at, one in reversed(list(enumerate(sentences))):
        order = at in answering or _is_order(one.text, asked.about_readers)
        below = order or (below and _is_question(one.text, asked))
        if below:
            found.append(one)
    return found[::-1]


def _answering(sentences: Sequence[Sentence], terms: frozenset[str]) -> set[int]:
    """Places of sentences that repeat the question and say what to say to it, alone or with those below."""
    if len(terms) < _MIN_REPEATED_TERMS:
        return set()
    found: set[int] = set()
    for at, one in enumerate(sentences):
        if _ASKS.search(undisguised(one.text)) and (end := _bait_end(sentences, at, terms)) is not None:
            found.update(range(at, end))
    return found


def _bait_end(sentences: Sequence[Sentence], start: int, terms: frozenset[str]) -> int | None:
    """Where sentences that repeat the terms and tell what to say end; None where these do not."""
    missing, told = set(terms), False
    for at, one in enumerate(sentences[start : start + _LONGEST_BAIT], start):
        tells = bool(_TELLS.search(undisguised(one.text)))
        if told and not tells:
            return at
        missing -= set(content_terms(one.text))
        told = tells and len(terms) - len(missing) >= _REPEATED * len(terms)
    return start + len(sentences[start : start + _LONGEST_BAIT]) if told else None


def _is_question(sentence: str, asked: _Asked) -> bool:
    return sentence.rstrip().endswith("?") or _words(sentence) in asked.words


def _words(text: str) -> str:
    return f" {' '.join(word_list(text.lower()))} "


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
