"""Sentences of the passages as answers: the best-ranked are offered to the model, and nothing else is generated.

A model of 135M parameters paraphrases badly, so it answers by choosing: a GBNF grammar admits only ranked sentences
(`tools.knowledge.rank`), each followed by its citation.
"""

from __future__ import annotations

from collections.abc import Sequence

from tools.knowledge.rank import Candidate
from tools.knowledge.readings import MAX_WORDS

# Sentences this close to the best one are the model's to choose from; more could only make the answer worse.
_TIE = 0.02
_WORTH_ADDING = 0.25
_MAX_EXTRAS = 2


def quote_grammar(candidates: Sequence[Candidate]) -> str:
    """A GBNF grammar for one of the best sentences, then the next best ones, up to three sentences and 60 words.

    Two sentences hold the answer more often than one, three more often than two (`docs/results/ranking.json`).
    """
    first, extras = _split(candidates)
    if not extras:
        return f"root ::= {_alternatives([one.cited for one in first])}"
    added = _literal(" " + " ".join(extra.cited for extra in extras))
    return f"root ::= first {added}\nfirst ::= {_alternatives([one.cited for one in first])}"


def chosen_candidates(answer: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that an answer of `quote_grammar` consists of, in order; a cut-off sentence is left out."""
    chosen: list[Candidate] = []
    rest = answer.strip()
    # Whole sentences from the start: one candidate's text can be part of another's.
    while fitting := [candidate for candidate in candidates if rest.startswith(candidate.cited)]:
        chosen.append(max(fitting, key=lambda candidate: len(candidate.cited)))
        rest = rest[len(chosen[-1].cited) :].lstrip()
    return chosen


def _split(candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    best = candidates[0]
    first = [candidate for candidate in candidates if best.score - candidate.score <= _TIE]
    room = MAX_WORDS - max(_words(candidate) for candidate in first)
    extras: list[Candidate] = []
    for candidate in candidates:
        worth_adding = candidate not in first and best.score - candidate.score <= _WORTH_ADDING
        if worth_adding and _words(candidate) <= room and len(extras) < _MAX_EXTRAS:
            extras.append(candidate)
            room -= _words(candidate)
    return first, extras


def _words(candidate: Candidate) -> int:
    return len(candidate.text.split())


def _alternatives(texts: Sequence[str]) -> str:
    return " | ".join(_literal(text) for text in texts)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
