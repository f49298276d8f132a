"""Whether flags and reasons hold, by a rubric that a program can check.

- **True**: every number of a reason is one of the transaction's, or follows from them (ratio, speed, time), and what it
  says in words holds (`claims`).
- **Complete**: every weighty flag is named, or the text says how many more there are.
- **Readable**: at most 90 words, a verdict first, no internal names.
- **Flags**: transactions of a scenario with telling signs raise a flag for one of them; clearly genuine ones raise no
  weighty flag. A scenario's signs are what its fraudster does (`finetune/data/attacks.py`), not what comes along: a
  third of the attacks also carry an alert code, and every online order lacks the card.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetune.data.prepare import company_policy
from finetune.evaluation.baselines import transaction_of
from finetune.evaluation.claims import claim_holds
from finetune.evaluation.metrics import Scored
from finetune.rows import Row
from tools.fraud.features import derive_features
from tools.fraud.flags import RULES, Flag, raise_flags
from tools.fraud.policy import FraudPolicy
from tools.fraud.reasoning import explain
from tools.fraud.transaction import Transaction

RUBRIC = 2
"""Raised when the rubric gets stricter; reports name theirs."""
WEIGHTY = 25
_MOST_WORDS = 90
_SIGNS: dict[str, frozenset[str]] = {
    "blacklist": frozenset({"blacklisted_merchant"}),
    "alert_code": frozenset({"suspicious_code"}),
    "cloned_card": frozenset({"foreign_country", "impossible_travel"}),
    "velocity_abuse": frozenset({"velocity_1h", "velocity_24h"}),
    "stolen_card": frozenset({"velocity_1h", "velocity_24h", "amount_far_above_usual"}),
    "account_takeover": frozenset({"amount_far_above_usual"}),
    "card_testing": frozenset({"card_testing", "velocity_1h", "amount_far_above_usual"}),
    "collusive_merchant": frozenset({"round_amount", "amount_far_above_usual"}),
}
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_MINUTES_PER = (1, 60, 24 * 60, 7 * 24 * 60, 30.44 * 24 * 60, 365.25 * 24 * 60)
_DAYS_PER = (1, 7, 30.44, 365.25)
_MORE = re.compile(r"and (\d+) more")
_VERDICT = ("This transaction looks ", "The adapter ", "The base model ")


@dataclass(frozen=True)
class Speaker:
    """Whose decisions are explained: the positive label as the model says it, the base model and the adapter's task."""

    label: str
    base: str
    task: str


def judge_explanations(speaker: Speaker, rows: Sequence[Row], scored: Scored) -> dict[str, Any]:
    """Shares of what holds: `flags_found`, `flags_spared` over all rows; `true`, `complete`, `readable` over those that
    the adapter calls fraud. None where there is nothing to judge. Rows carry their transactions, of two labels.

    `flags_by_scenario` has the share and the number of rows of each scenario that `flags_found` is taken over.
    """
    policy = company_policy(None)
    found: dict[str, list[bool]] = defaultdict(list)
    spared: list[bool] = []
    judged: list[tuple[bool, bool, bool]] = []
    for row, decided, probabilities in zip(rows, scored.decided, scored.probabilities, strict=True):
        transaction = transaction_of(row)
        flags = raise_flags(transaction, policy)
        scenario = str(row.attributes.get("scenario"))
        if wanted := _SIGNS.get(scenario):
            found[scenario].append(any(flag.code in wanted for flag in flags))
        if row.attributes.get("kind") == "clear_legitimate":
            spared.append(not any(flag.points >= WEIGHTY for flag in flags))
        if decided == 0:
            text = _explained(speaker, float(probabilities[0]), flags)
            true = all(is_true(flag, transaction, policy) for flag in flags)
            judged.append((true, is_complete(text, flags), is_readable(text)))
    return {
        "rubric": RUBRIC,
        "judged": len(judged),
        **{name: _share([row[at] for row in judged]) for at, name in enumerate(("true", "complete", "readable"))},
        "flags_found": _share([held for part in found.values() for held in part]),
        "flags_by_scenario": _by_scenario(found),
        "flags_spared": _share(spared),
    }


def is_true(flag: Flag, transaction: Transaction, policy: FraudPolicy) -> bool:
    """Whether a reason's words hold, and every number is the transaction's, follows from it, or is in the rules."""
    return claim_holds(flag, transaction, policy) and numbers_follow(flag.evidence, transaction, policy)


def numbers_follow(evidence: str, transaction: Transaction, policy: FraudPolicy) -> bool:
    """Whether every number of a reason is the transaction's, follows from it, or stands in the company's rules."""
    said = list(_quoted(transaction, policy))
    rest = evidence
    for quote in sorted(said, key=len, reverse=True):
        rest = rest.replace(quote, " ")
    known = list(_values(transaction, policy))
    return all(any(_rounds_to(value, number) for value in known) for number in _NUMBER.findall(rest))


def is_complete(text: str, flags: Sequence[Flag]) -> bool:
    """Whether each weighty flag is named, or counted among those left out."""
    missing = [flag for flag in flags if flag.points >= WEIGHTY and flag.evidence not in text]
    more = _MORE.search(text)
    return len(missing) <= (int(more[1]) if more else 0)


def is_readable(text: str) -> bool:
    """Whether a person can read it at once: short, the verdict first, nothing internal."""
    internal = any(rule.code in text for rule in RULES if "_" in rule.code)
    return len(text.split()) <= _MOST_WORDS and text.startswith(_VERDICT) and not internal


def _explained(speaker: Speaker, probability: float, flags: Sequence[Flag]) -> str:
    return explain(speaker.label, probability, calibrated=True, flags=flags, base=speaker.base, adapter=speaker.task)


def _by_scenario(found: Mapping[str, Sequence[bool]]) -> dict[str, dict[str, float | int | None]]:
    return {name: {"rows": len(held), "found": _share(held)} for name, held in sorted(found.items())}


def _quoted(transaction: Transaction, policy: FraudPolicy) -> Iterator[str]:
    """Texts that a reason may repeat as they are, with whatever digits they hold."""
    yield from filter(None, (transaction.merchant, transaction.transaction_code, transaction.country))
    features = derive_features(transaction, policy)
    if (match := features.blacklisted) is not None:
        yield from filter(None, (match.entry.merchant, match.entry.reason, str(match.entry.since or "")))
        yield f"{match.similarity:.0f}%"
    if features.code_reason:
        yield features.code_reason
    if transaction.time_of_day is not None:
        yield f"{transaction.time_of_day:%H:%M}"
    limits = policy.thresholds
    yield f"{limits.night_start:02d}:00 to {limits.night_end:02d}:59"
    yield "24 hours"


def _values(transaction: Transaction, policy: FraudPolicy) -> Iterator[float]:
    """Numbers that follow from the transaction, computed here again rather than taken from the flags."""
    row = transaction
    yield row.amount
    yield from (float(count) for count in (row.count_1h, row.count_24h, row.count_7d) if count is not None)
    if row.customer_usual_amount:
        yield row.customer_usual_amount
        yield row.amount / row.customer_usual_amount
    if row.card_age_days is not None:
        yield from (row.card_age_days / unit for unit in _DAYS_PER)
    if row.minutes_since_last is not None:
        yield from (row.minutes_since_last / unit for unit in _MINUTES_PER)
        if row.distance_from_last_km is not None:
            yield row.distance_from_last_km / max(row.minutes_since_last, 1.0) * 60
    if row.distance_from_last_km is not None:
        yield row.distance_from_last_km


def _rounds_to(value: float, shown: str) -> bool:
    decimals = len(shown.partition(".")[2])
    return abs(value - float(shown.replace(",", ""))) <= 0.5 * 10**-decimals + 1e-9


def _share(held: Sequence[bool]) -> float | None:
    return float(np.mean(held)) if held else None
