"""Follow-ups made to stand alone: "And for debit cards?" needs the question before it.

The embedded model rewrites badly, so rules do it there: the part of the last question that the follow-up replaces is
swapped for the follow-up's own words. Turns are never concatenated: that made retrieval worse than the last turn alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.knowledge.evidence import content_terms
from tools.knowledge.stopwords import ENGLISH_STOPWORDS

_MAX_WORDS = 14
_MAX_CHARACTERS = 400
_MAX_REFERRING_TERMS = 3
_MAX_TAIL_WORDS = 5

_LEADS = r"(?:(?:ok(?:ay)?|so|and|but|or|then|also|now|yes|no|thanks|thank you|great|right)\b[\s,.!]*)*"
_OPENERS = re.compile(
    rf"{_LEADS}(?:(?:what|how) about|what if it(?:'s| is)|same (?:question )?for|and|but|or|also"
    r"|in case of|(?=(?:for(?! (?:example|instance)\b)|with)\b))\b[\s,]*",
    re.IGNORECASE,
)
_BE = ("is", "are", "was", "were")
_DO = ("does", "do", "did", "can", "could", "may", "must", "should", "will", "would", "has", "have")
_AUXILIARY = "|".join((*_BE, *_DO))
_ASKING = rf"(?:who|what|which|how|where|why|whose|{_AUXILIARY}|when (?:{_AUXILIARY}))\b"
# "And who approves it?" asks anew; "and when the customer is abroad?" only changes the last question.
_NEW_QUESTION = re.compile(_ASKING, re.IGNORECASE)
_COMPLETE = re.compile(rf",\s*{_ASKING}", re.IGNORECASE)
_BARE_QUESTION = re.compile(
    rf"{_LEADS}(?P<asked>why(?: not)?|how(?: so| come| long| much| many| often)?|(?:since |until )?when|where|who"
    r"|(?:with|by|to|from|for) wh(?:om|at))[\s?!.]*",
    re.IGNORECASE,
)
_POINTER = re.compile(r"\b(it|its|they|them|their|this|that|these|those)(?: one)?\b", re.IGNORECASE)
_PRONOUNS = frozenset({"it", "its", "they", "them", "their"})
# "What time is it?", "Will it rain?": an "it" that points to nothing.
_EXPLETIVE = re.compile(r"\b(?:what time|what day|rain\w*|snow\w*|weather|cold|hot|sunny)\b", re.IGNORECASE)
_COMMAND = re.compile(r"\b(?:extract|parse|score|summari[sz]e|translate|fraud\w*|suspicious)\b", re.IGNORECASE)

_CLAUSE = re.compile(r"(?:when|if|after|before|while|unless|once|because)\b", re.IGNORECASE)
_STATEMENT = re.compile(rf"(?!.*\b(?:that|which|who)\b).+ (?:{_AUXILIARY}|had)\b", re.IGNORECASE)
_PREPOSITION = re.compile(
    r"(for|with|of|in|on|to|from|by|at|over|above|under|below|within|without|during|per)\b\s*", re.IGNORECASE
)
_ARTICLES = re.compile(r"(?:(?:the|a|an|any|our|my|their)\s+)+", re.IGNORECASE)
_ONE = re.compile(r"\s+ones?$", re.IGNORECASE)
_HEAD = re.compile(r"(what(?:'s| is| are| was| were)) .+?( (?:for|of|on|in|to|when|if) .+)", re.IGNORECASE)
_WHAT_IS = re.compile(r"what(?:'s| is| are| was| were) (.+)", re.IGNORECASE)
_WHICH = re.compile(rf"(?:which|what) (.+?) (?:{_AUXILIARY})\b", re.IGNORECASE)
_FUNCTION_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(ENGLISH_STOPWORDS))})\b|[?.!,;:]", re.IGNORECASE)
_PARTICIPLE = re.compile(r"(?<=\w) \w+ed$")
_WORD = re.compile(r"\w[\w'-]*")
# What follows one of these is a verb, no part of a noun phrase.
_BEFORE_VERBS = frozenset({"i", "we", "you", "they", "he", "she", "it", "to", "not", "who", "customers", "customer"})


def is_follow_up(message: str) -> bool:
    """Whether a message leans on the one before it: short, and opening like a continuation or pointing back."""
    text = message.strip()
    if len(text) > _MAX_CHARACTERS or "\n" in text or not 0 < len(_WORD.findall(text)) <= _MAX_WORDS:
        return False
    if _BARE_QUESTION.fullmatch(text):
        return True
    if opener := _OPENERS.match(text):
        return not _COMPLETE.search(text, opener.end())
    return _points_back(text)


def stand_alone(message: str, earlier: Sequence[str]) -> str:
    """`message` as a question of its own, given the stand-alone questions before it (oldest first)."""
    text, body = message.strip(), earlier[-1].strip().rstrip(" ?.!") if earlier else ""
    if not body or len(body) > _MAX_CHARACTERS or not is_follow_up(message):
        return message
    if bare := _BARE_QUESTION.fullmatch(text):
        return f"{body}, and {bare['asked'].lower()}?"
    opener = _OPENERS.match(text)
    rest = text[opener.end() :] if opener else text
    if opener is None or _NEW_QUESTION.match(rest):
        return _resolve(rest[:1].upper() + rest[1:], body)
    return f"{_changed(body, rest.strip(' ?.!,'))}?" if content_terms(rest) else message


def _changed(body: str, rest: str) -> str:
    """The question `body` with `rest` in the place of what it replaces, or added as a condition."""
    if _CLAUSE.match(rest):
        return f"{body} {rest[:1].lower()}{rest[1:]}"
    if _STATEMENT.match(rest):
        return f"{body} if {rest}"
    preposition = _PREPOSITION.match(rest)
    phrase = rest[preposition.end() :] if preposition else rest
    focus = _ONE.sub("", _ARTICLES.sub("", phrase))
    if (swapped := _swap_same_noun(body, focus)) is not None:
        return swapped
    if preposition and preposition[1].lower() not in {"for", "of"}:
        return _swap_tail(body, preposition[1].lower(), phrase)
    if phrase.lower().startswith("the ") and focus == phrase[4:] and (head := _HEAD.fullmatch(body)):
        return f"{head[1]} the {focus}{head[2]}"
    if focus != phrase and not _ONE.search(phrase):
        return _swap_tail(body, "for", phrase)
    bare = None if preposition else _swap_only_plural(body, focus)
    return _swap_modifier(body, focus) or bare or _swap_tail(body, "for", phrase)


def _swap_same_noun(body: str, focus: str) -> str | None:
    """Swap the noun phrase of `body` with the last noun of `focus`: "credit card" for "debit cards"."""
    noun = _stem(_WORD.findall(focus)[-1])
    words = list(_WORD.finditer(body))
    last = next((i for i in range(len(words) - 1, -1, -1) if _stem(words[i].group()) == noun), None)
    return None if last is None else _swap_phrase(body, words, last, focus)


def _swap_only_plural(body: str, focus: str) -> str | None:
    """Swap the one plural noun of `body` for a plural: "How are chargebacks handled" for "disputes"."""
    words = list(_WORD.finditer(body))
    plurals = [i for i, word in enumerate(words) if _is_plural(word.group())]
    return _swap_phrase(body, words, plurals[0], focus) if len(plurals) == 1 and _is_plural(focus) else None


def _swap_phrase(body: str, words: Sequence[re.Match[str]], last: int, focus: str) -> str:
    first, size = last, len(_WORD.findall(focus))
    while first and last - first + 1 < size and _modifies(body, words, first - 1):
        first -= 1
    before = body[: words[first].start()]
    if _is_plural(focus):
        before = re.sub(r"\b(?:a|an) $", "", before, flags=re.IGNORECASE)
    return f"{before}{focus}{body[words[last].end() :]}"


def _modifies(body: str, words: Sequence[re.Match[str]], at: int) -> bool:
    """Whether the word belongs to the noun after it, rather than being a function word or a verb."""
    after_subject = at > 0 and words[at - 1].group().lower() in _BEFORE_VERBS
    adjacent = body[words[at].end() : words[at + 1].start()] == " "
    return adjacent and words[at].group().lower() not in ENGLISH_STOPWORDS and not after_subject


def _swap_modifier(body: str, focus: str) -> str | None:
    """Swap what qualifies the last noun: "credit cards" becomes "debit cards" for a bare "debit"."""
    tail = _tail(body, "for")
    if tail is None or _is_plural(focus) or len(focus.split()) > 2:
        return None
    article = _ARTICLES.match(body, tail)
    words = body[article.end() if article else tail :].split()
    if len(words) < 2:
        return None
    return f"{body[: article.end() if article else tail]}{focus} {words[-1]}"


def _swap_tail(body: str, preposition: str, phrase: str) -> str:
    """Swap what follows the last `preposition` of `body`, or add it."""
    tail = _tail(body, preposition)
    return f"{body} {preposition} {phrase}" if tail is None else f"{body[:tail]}{phrase}"


def _tail(body: str, preposition: str) -> int | None:
    """Where the short phrase after the last `preposition` starts; "of" does for "for"."""
    found = list(re.finditer(rf" (?:{preposition}{'|of' if preposition == 'for' else ''}) ", body, re.IGNORECASE))
    return found[-1].end() if found and len(body[found[-1].end() :].split()) <= _MAX_TAIL_WORDS else None


def _points_back(text: str) -> bool:
    asks = text.endswith("?") or _NEW_QUESTION.match(text)
    if not asks or _EXPLETIVE.search(text) or _COMMAND.search(text):
        return False
    return _reference(text) is not None and len(content_terms(text)) <= _MAX_REFERRING_TERMS


def _reference(text: str) -> re.Match[str] | None:
    return next((match for match in _POINTER.finditer(text) if _is_pronoun(text, match)), None)


def _is_pronoun(text: str, match: re.Match[str]) -> bool:
    """Tell "does that apply?" and "is that free?" from "is this transaction ..." and "a form that I need"."""
    if match[1].lower() in _PRONOUNS:
        return True
    before = " ".join(text[: match.start()].split()[-1:]).lower()
    after = text[match.end() :].strip(" ?!.,").split()
    return not after or before in _DO or (before in _BE and match[1].lower() == "that" and len(after) == 1)


def _resolve(message: str, previous: str) -> str:
    """Name what "it" points to: the topic of the previous question."""
    topic, reference = _topic(previous), _reference(message)
    if reference is None or not topic or topic.lower() in message.lower():
        return message
    named = f"{topic}'s" if reference[1].lower() in {"its", "their"} else topic
    return f"{message[: reference.start()]}{named}{message[reference.end() :]}"


def _topic(question: str) -> str:
    """What a question is about: what it asks for ("the fee for a card"), else its last run of content words."""
    if (asked := _WHAT_IS.fullmatch(question) or _WHICH.match(question)) and len(
        asked[1].split()
    ) <= _MAX_TAIL_WORDS + 2:
        return f"the {_ARTICLES.sub('', asked[1], count=1)}"
    named = [run.strip() for run in _FUNCTION_WORDS.split(question) if run.strip()]
    return f"the {_PARTICIPLE.sub('', named[-1])}" if named else ""


def _is_plural(phrase: str) -> bool:
    last = phrase.split()[-1].lower() if phrase.split() else ""
    return (
        len(last) > 3 and last.endswith("s") and not last.endswith(("ss", "us", "is")) and last not in ENGLISH_STOPWORDS
    )


def _stem(word: str) -> str:
    terms = content_terms(word)
    return terms[0] if terms else word.lower()
