"""Propose values for a field: the readers' candidates, scored by the labels and the wording around them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tools.extraction.fields import Kind, Leaf
from tools.extraction.readers import (
    agreements,
    amounts,
    charges,
    clauses,
    dates,
    durations,
    identifiers,
    keywords,
    laws,
    letterheads,
    names,
    places,
    terms,
)
from tools.extraction.readers.labels import Label, find_labels, labelled_text
from tools.extraction.readers.source import Candidate, Reader, Scalar, Source
from tools.extraction.readers.totals import Sums, added_up, owed, settlements, sums, tax_summary_start
from tools.extraction.readers.words import booleans, literals

READERS: Mapping[Kind, Reader] = {
    "address": places.addresses, "amount": amounts.amounts, "card_last4": identifiers.card_last4,
    "channel": keywords.channels, "charge_amount": charges.charge_amounts, "charge_date": charges.charge_dates,
    "city": places.cities, "country": places.countries, "currency": amounts.currencies, "date": dates.dates,
    "duration": durations.durations,
    "effective_date": agreements.effective_dates, "email": identifiers.emails, "governing_law": laws.governing_laws,
    "iban": identifiers.ibans,
    "issuer": keywords.issuers,
    "letter_date": keywords.letter_dates, "letterhead": letterheads.letterhead, "liability_cap": clauses.liability_caps,
    "merchant": names.merchants,
    "notice": clauses.notices, "number": amounts.numbers, "organisation": names.organisations,
    "payment_method": keywords.payment_methods,
    "person": names.people, "phone": identifiers.phones, "reason": clauses.reasons,
    "recipient": keywords.recipients, "reference": identifiers.references, "renewal": clauses.renewals,
    "request": clauses.requests, "term": terms.terms, "timestamp": dates.timestamps, "title": keywords.titles,
    "total": amounts.amounts,
    "url": identifiers.urls,
}  # fmt: skip
# What stands beside a label, where the label itself says what the kind's reader looks for in sentences.
_BESIDE_LABELS: Mapping[Kind, Reader] = {
    "charge_amount": amounts.amounts, "charge_date": dates.dates, "effective_date": dates.dates,
    "letter_date": dates.dates, "notice": durations.durations, "term": durations.durations,
}  # fmt: skip
_FREE_TEXT = frozenset[Kind]((
    "text", "person", "merchant", "letterhead", "issuer", "recipient", "organisation", "address",
    "renewal", "liability_cap",
    "reason", "request", "payment_method", "channel", "country", "city", "title",
))  # fmt: skip
_BOTH_SIDES = frozenset[Kind](("duration",))
_NAME_LIKE = frozenset[Kind](
    ("person", "merchant", "letterhead", "issuer", "recipient", "organisation", "country", "city", "governing_law")
)
_ADDRESSED = frozenset[Kind](("recipient", "issuer", "organisation", "person", "letterhead"))
_LONGEST_NAME = 90
_GAP_CHARS = 90
_MOST_RANKS = 20
_LIGHT = re.compile(
    r"^(?:no|nr|num|id|is|was|of|on|for|the|as|at|a|an|to|in|be|by|and|rm|usd|eur|gbp|myr|number|date|amount|incl|rounded|from|this|day|due|approximately|about)$"
)
MIN_SCORE = 0.2
_MONEY = frozenset[Kind](("amount", "charge_amount", "total"))
_HEADINGS = re.compile(
    r"\b(?:qty|quantity|price|goods|each|value|items?|description|rate|units?|article|service|amount|tax|total|sum|pos|code|product|cost)\b",
    re.IGNORECASE,
)
_ROLE_CHARS = 45
_OTHER_DATE = re.compile(
    r"\b(?:valid|until|till|expir\w*|birth|born|since|due|deadline|by|draw|next|return\w*|before|best|member|offer|promotion|version|"
    r"software|firmware|build|warrant\w*|guarantee\w*|voucher|coupon|ends?|redeem\w*)\b[^.;]{0,25}$",
    re.IGNORECASE,
)
_ASIDE_DATE = re.compile(r"\b(?:order(?:ed)?|deliver(?:y|ed)|pay\w*|paid|print\w*|from)\b[^.;]{0,25}$", re.IGNORECASE)
"""Of another day than the record, as a rule; where nothing else is dated, it is the record's."""
_PRINTED = re.compile(r"\bprinted\W*(?:on\W*)?$", re.IGNORECASE)
_OTHER_AMOUNT = re.compile(
    r"\b(?:limit|balance|fees?|salary|income|deposit|insurance|savings?|points|budget)\b[^.;]{0,25}$", re.IGNORECASE
)


@dataclass(frozen=True)
class Proposal:
    """A candidate with its score in [0, 1] as the value of one field."""

    candidate: Candidate
    score: float
    labelled: bool = False
    """It stands beside one of the field's labels."""


def propose(leaf: Leaf, source: Source) -> Sequence[Proposal]:
    """Proposals for the field, best first, one for each distinct value, each scored at least `MIN_SCORE`."""
    if leaf.kind == "enum":
        found = [Proposal(candidate, candidate.cue) for candidate in literals(source, leaf.schema, leaf.labels)]
    elif leaf.kind == "boolean":
        found = [Proposal(candidate, candidate.cue) for candidate in booleans(source, leaf.labels)]
    else:
        found = _labelled(leaf, source)
        found += [Proposal(candidate, candidate.cue) for candidate in _read(leaf.kind, source)]
        found += _fallback(leaf, source, found)
    if leaf.kind == "total":
        found = _settled(source, found)
    return _merged(leaf, found)


def readings(kind: Kind, source: Source) -> Sequence[Candidate]:
    """Everything in the text that has the form of a kind's values; nothing for kinds that are free text."""
    return source.read(_BESIDE_LABELS[kind]) if kind in _BESIDE_LABELS else _read(kind, source)


def _read(kind: Kind, source: Source) -> Sequence[Candidate]:
    return source.read(READERS[kind]) if kind in READERS else ()


def _excluded(leaf: Leaf, source: Source) -> list[tuple[int, int]]:
    return [(label.start, label.end) for label in find_labels(source, leaf.excluding)]


def _labelled(leaf: Leaf, source: Source) -> list[Proposal]:
    if leaf.kind in _FREE_TEXT:
        weak = (replace(one, cue=one.cue * 0.5) for one in labelled_text(source, leaf.weak_labels))
        texts = [*labelled_text(source, leaf.labels), *weak]
        if leaf.kind in _ADDRESSED:
            texts = [one for one in texts if not letterheads.is_street(str(one.value))]
        named = [_name_only(one) if leaf.kind in _ADDRESSED else one for one in texts]
        named = [_before_comma(one) if leaf.kind == "city" or _ends_in_place(leaf, one) else one for one in named]
        return [Proposal(one, one.cue, labelled=True) for one in named if _plausible(leaf.kind, str(one.value))]
    candidates = readings(leaf.kind, source)
    if not candidates:
        return []
    excluded = _excluded(leaf, source)
    found: list[Proposal] = []
    for labels, weight in ((leaf.labels, 1.0), (leaf.weak_labels, 0.6)):
        for label in find_labels(source, labels):
            if not any(start <= label.start and label.end <= end for start, end in excluded):
                found += _beside(leaf.kind, source, label, candidates, weight)
    return found


def _name_only(candidate: Candidate) -> Candidate:
    """The name at the head of a name with an address on one line."""
    value = str(candidate.value)
    cut = re.search(rf",\s(?!(?:{names.FORM})(?!\w))", value)
    if cut is None or not re.search(r"\d", value[cut.end() :]):
        return candidate
    return replace(candidate, value=value[: cut.start()], end=candidate.start + cut.start())


def _ends_in_place(leaf: Leaf, candidate: Candidate) -> bool:
    """A merchant with its city and country on one line."""
    last = str(candidate.value).rpartition(", ")[2]
    return leaf.kind == "merchant" and any(one.value == last for one in places.countries(Source(last)))


def _before_comma(candidate: Candidate) -> Candidate:
    """What stands before the place or country behind it."""
    value = str(candidate.value).split(",")[0].rstrip()
    return replace(candidate, value=value, end=candidate.start + len(value))


def _plausible(kind: Kind, value: str) -> bool:
    if kind in _NAME_LIKE:
        letters = sum(char.isalpha() for char in value)
        return letters >= 2 and letters >= len(value) * 0.5 and len(value) <= _LONGEST_NAME
    if kind == "address":
        return len(value) > 8 and ("," in value or any(char.isdigit() for char in value))
    return bool(re.search(r"\w", value))


def _beside(kind: Kind, source: Source, label: Label, candidates: Sequence[Candidate], weight: float) -> list[Proposal]:
    """The candidate after the label (and before it, where that is usual), scored by what stands between."""
    index = bisect_left(candidates, label.end, key=lambda candidate: candidate.start)
    found: list[Proposal] = []
    if index < len(candidates):
        after = candidates[index]
        gap = _gap(source, label.end, after.start)
        if gap is not None and not _is_elsewhere(kind, source, label, after):
            score = 0.92 - gap - 0.015 * min(label.rank, _MOST_RANKS) - (0.0 if label.leads else 0.12)
            found.append(Proposal(after, weight * score, labelled=True))
    if kind in _BOTH_SIDES and index > 0:
        before = candidates[index - 1]
        if (gap := _gap(source, before.end, label.start)) is not None:
            found.append(Proposal(before, weight * (0.85 - gap - 0.015 * label.rank), labelled=True))
    return found


def _is_elsewhere(kind: Kind, source: Source, label: Label, after: Candidate) -> bool:
    """The candidate stands below a label that does not speak of it: a table's heading, or a word without a number."""
    if "\n" not in source.text[label.end : after.start]:
        return False
    line = source.lines[source.line_number(label.start)]
    if kind in _MONEY:
        return len(_HEADINGS.findall(line.text)) >= 2 and not re.search(r"\d", line.text)
    if kind == "reference":
        below = source.lines[source.line_number(after.start)]
        alone = (
            not source.text[below.start : after.start].strip(" :#") and not source.text[after.end : below.end].strip()
        )
        return not alone or not re.search(r"\W|_", source.text[label.start : label.end])
    return False


def _gap(source: Source, start: int, end: int) -> float | None:
    """What the text between a label and a value costs; `None` where they are too far apart."""
    if end - start > _GAP_CHARS or end < start:
        return None
    between = source.text[start:end]
    lines = between.count("\n") + between.count("\f")
    if lines > 3:
        return None
    heavy = [word for word in re.findall(r"[^\W\d_]+", between.lower()) if not _LIGHT.match(word)]
    stops = len(re.findall(r"[.;](?:\s|$)", between)) if lines == 0 else 0
    return 0.09 * len(heavy) + 0.05 * max(0, lines - 1) + (0.03 if lines else 0.0) + 0.15 * stops


def _fallback(leaf: Leaf, source: Source, found: Sequence[Proposal]) -> list[Proposal]:
    candidates = _read(leaf.kind, source)
    if leaf.fallback in ("first", "first_of_all"):
        candidates = _of_this_role(leaf, source, candidates)
    if leaf.fallback is None or not candidates:
        return []
    distinct = Counter(candidate.value for candidate in candidates)
    if leaf.fallback == "most_common":
        value, count = distinct.most_common(1)[0]
        first = next(candidate for candidate in candidates if candidate.value == value)
        return [Proposal(first, 0.9 if len(distinct) == 1 else 0.5 + 0.4 * count / len(candidates))]
    score = 0.66 if len(distinct) == 1 else 0.5
    return [Proposal(_stamped(source, candidates) or candidates[0], score)]


def _of_this_role(leaf: Leaf, source: Source, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Those that nothing before them says to be something else; where there is none, a date that is beside the point:
    the day of printing, and with `first_of_all` that of order, payment or delivery, too."""
    own = [one for one in candidates if not _is_of_another_role(leaf.kind, source, one)]
    if leaf.kind in _MONEY:
        return own
    aside = _ASIDE_DATE if leaf.fallback == "first_of_all" else _PRINTED
    sure = [one for one in own if not _ASIDE_DATE.search(_role_text(source, one))]
    return sure or [one for one in own if aside.search(_role_text(source, one))]


def _is_of_another_role(kind: Kind, source: Source, candidate: Candidate) -> bool:
    """The words before it say that it is something that no record's first date or amount is."""
    pattern = _OTHER_AMOUNT if kind in _MONEY else _OTHER_DATE
    return pattern.search(_role_text(source, candidate)) is not None


def _role_text(source: Source, candidate: Candidate) -> str:
    """What its line says before it."""
    line = source.flowed.rfind("\n", 0, candidate.start) + 1
    return source.flowed[max(line, candidate.start - _ROLE_CHARS) : candidate.start]


def _stamped(source: Source, candidates: Sequence[Candidate]) -> Candidate | None:
    """The first date that a time of day follows, as printed by tills and systems."""
    timed = {one.start for one in source.read(dates.timestamps) if isinstance(one.value, str) and "T" in one.value}
    return next((one for one in candidates if one.start in timed), None)


def _settled(source: Source, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Raise the totals that payment and change, tax or rounding confirm; lower the parts of such sums, those of a tax
    summary and those below zero."""
    settled, confirmed = [*settlements(source), *added_up(source)], owed(source)
    summary, arithmetic = tax_summary_start(source), sums(source)
    found: list[Proposal] = []
    for proposal in (*proposals, *(Proposal(one, one.cue) for one in settled), *_gross(source, arithmetic, proposals)):
        value = round(float(proposal.candidate.value), 2)
        if not proposal.labelled and amounts.is_promised(source, proposal.candidate.start, proposal.candidate.end):
            continue
        score = proposal.score + (0.15 if value in confirmed else 0.0)
        score += 0.2 if value in arithmetic.gross else -0.15 if value in arithmetic.parts else 0.0
        score -= 0.3 if proposal.candidate.start >= summary else 0.0
        score -= 0.3 if float(proposal.candidate.value) <= 0 else 0.0
        found.append(replace(proposal, score=max(0.0, min(0.97, score))))
    return found


def _gross(source: Source, arithmetic: Sums, proposals: Sequence[Proposal]) -> list[Proposal]:
    """The sum of a proposed net amount and its tax, wherever in the document it stands."""
    if not any(round(float(one.candidate.value), 2) in arithmetic.parts for one in proposals):
        return []
    return [
        Proposal(one, 0.3) for one in source.read(amounts.amounts) if round(float(one.value), 2) in arithmetic.gross
    ]


def _merged(leaf: Leaf, proposals: Sequence[Proposal]) -> Sequence[Proposal]:
    """The best proposal of each value; a value that is proposed repeatedly gains a little."""
    best: dict[Scalar, Proposal] = {}
    support: Counter[Scalar] = Counter()
    for proposal in proposals:
        value = proposal.candidate.value
        support[value] += 1
        if value not in best or proposal.score > best[value].score:
            best[value] = proposal
    lifted = [replace(p, score=min(0.98, p.score + 0.02 * min(4, support[v] - 1))) for v, p in best.items()]
    return sorted((p for p in lifted if p.score >= MIN_SCORE), key=lambda p: (-p.score, p.candidate.start))
