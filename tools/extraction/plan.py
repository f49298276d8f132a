"""Decide field by field what the readers settle, what is left to the model and what is absent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tools.extraction.fields import Kind, Leaf, leaves
from tools.extraction.kinds import affinity
from tools.extraction.proposals import Proposal, propose
from tools.extraction.readers.source import Candidate, Source
from tools.extraction.records import BUILT_IN
from tools.extraction.schemas import ExtractionSchema

Arbiter = Literal["readers", "model"]
"""Who decides between several readings of a field: the readers' scores or the model."""
STANDS = 0.55
"""A best proposal with this score stands without the model if it leads by `LEAD`."""
LEAD = 0.08
MIN_CONFIDENCE = 0.3
"""A value below this confidence becomes null with reason `low_confidence`."""
_SURE = 0.9
_CLAIMS = 0.55
_NAMES = frozenset[Kind](("organisation", "issuer", "recipient", "letterhead", "merchant", "person"))
_DATES = frozenset[Kind](("charge_date", "date", "letter_date", "effective_date"))
MAX_OPTIONS = 6
_LONGEST_OPTION = 80
_LOOKS_ALIEN = 2.0
_NOTHING = 1.0
_KIN: Mapping[str, str] = {"invoice": "receipt", "receipt": "invoice"}
"""Kinds that look alike: a text that looks like the one is not alien to the other."""
_ALIEN_SCORE = 0.7
_ASKABLE = frozenset(
    ("text", "organisation", "person", "merchant", "recipient", "issuer", "city", "country", "title", "address")
)
_STOP_WORDS = frozenset(
    "the a an of in on for to and or with by is are this that its it as at "
    "name number value code type field text list".split()
)


@dataclass(frozen=True)
class Settled:
    """The readers' best proposal stands."""

    proposal: Proposal


@dataclass(frozen=True)
class Open:
    """The model chooses among the options, or writes free text that is located afterwards when there are none.

    Free text counts from the probability `least` on.
    """

    leaf: Leaf
    options: Sequence[Proposal]
    least: float = MIN_CONFIDENCE


@dataclass(frozen=True)
class Absent:
    """Nothing in the text could be the value."""


Decision = Settled | Open | Absent


def plan(schema: ExtractionSchema, source: Source, arbiter: Arbiter) -> Mapping[str, tuple[Leaf, Decision]]:
    """A decision for every field outside arrays, by path."""
    alien = schema.name in BUILT_IN and _is_alien(schema.name, affinity(source.text))
    proposed = {path: (leaf, _proposals(leaf, source, alien=alien)) for path, leaf in leaves(schema.root)}
    taken = [
        (_family(leaf.kind), one.candidate) for leaf, found in proposed.values() for one in found[:1] if _is_sure(one)
    ]
    decided = {
        path: (leaf, decide(leaf, source, _unclaimed(leaf, found, taken), arbiter, alien=alien))
        for path, (leaf, found) in proposed.items()
    }
    if schema.name not in BUILT_IN:
        return decided
    return {path: (leaf, _stricter(decision)) for path, (leaf, decision) in decided.items()}


def _stricter(decision: Decision) -> Decision:
    """Where readers that know a field are silent, a model must be sure: what it adds is more often wrong than right."""
    return replace(decision, least=_SURE) if isinstance(decision, Open) else decision


def _is_alien(name: str, looks: Mapping[str, float]) -> bool:
    """The text shows hardly a feature of its kind, or few while it looks like another one."""
    own = max(looks[name], looks.get(_KIN.get(name, name), 0.0) / 2)
    return own < _NOTHING or (own < _LOOKS_ALIEN and max(looks.values()) >= own + _LOOKS_ALIEN)


def _proposals(leaf: Leaf, source: Source, *, alien: bool) -> Sequence[Proposal]:
    """What is proposed for a field; in an `alien` document, of another kind than the schema, strong readings only."""
    found = propose(replace(leaf, fallback=None) if alien else leaf, source)
    return [proposal for proposal in found if proposal.score >= _ALIEN_SCORE] if alien else found


def _is_sure(proposal: Proposal) -> bool:
    return proposal.labelled and proposal.score >= _CLAIMS


def _family(kind: Kind) -> str:
    """Kinds of one family are read from the same spans."""
    return "name" if kind in _NAMES else "date" if kind in _DATES else kind


def _unclaimed(leaf: Leaf, proposals: Sequence[Proposal], taken: Sequence[tuple[str, Candidate]]) -> Sequence[Proposal]:
    """Without what stands beside another field's label and not beside one of this field's."""
    spans = [(one.start, one.end) for family, one in taken if family == _family(leaf.kind)]
    return [
        one for one in proposals
        if one.labelled or not any(start < one.candidate.end and one.candidate.start < end for start, end in spans)
    ]  # fmt: skip


def decide(
    leaf: Leaf, source: Source, proposals: Sequence[Proposal], arbiter: Arbiter = "readers", *, alien: bool = False
) -> Decision:
    """Settle a field where one reading is clear or the readers are the arbiter."""
    if not proposals:
        return Open(leaf, ()) if not alien and _is_askable(leaf, source) else Absent()
    lead = proposals[0].score - (proposals[1].score if len(proposals) > 1 else 0.0)
    if arbiter == "readers" or (proposals[0].score >= STANDS and lead >= LEAD):
        return Settled(proposals[0])
    options = [p for p in proposals[:MAX_OPTIONS] if p.candidate.end - p.candidate.start <= _LONGEST_OPTION]
    return Open(leaf, options) if options else Settled(proposals[0])


def topic_words(leaf: Leaf) -> frozenset[str]:
    """The words of a field's labels and description that say what it is about."""
    words = re.findall(r"[^\W\d_]{3,}", " ".join((*leaf.labels, leaf.description)).lower())
    return frozenset(words) - _STOP_WORDS


def _is_askable(leaf: Leaf, source: Source) -> bool:
    """Free text is asked for only where a word of the field occurs: else the model would have to make something up."""
    return leaf.kind in _ASKABLE and any(word in source.lowered for word in topic_words(leaf))
