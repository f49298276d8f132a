"""Red flags: declarative rules over a transaction's own facts. A fact that is absent raises no flag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.fraud.features import Features, derive_features
from tools.fraud.instructions import addressed
from tools.fraud.policy import FraudPolicy, Thresholds
from tools.fraud.transaction import Transaction
from tools.fraud.wording import money, plural, span

MAX_POINTS = 100


@dataclass(frozen=True)
class Facts:
    """What a rule may look at."""

    transaction: Transaction
    features: Features
    limits: Thresholds


@dataclass(frozen=True)
class Flag:
    """A raised rule. `evidence` states the numbers it was computed from; `points` is the rule's heuristic weight."""

    code: str
    evidence: str
    points: int


@dataclass(frozen=True)
class Rule:
    """A named reason for suspicion: `evidence` returns the sentence with the numbers, or None when it does not hold."""

    code: str
    points: int
    evidence: Callable[[Facts], str | None]


def raise_flags(transaction: Transaction, policy: FraudPolicy, features: Features | None = None) -> list[Flag]:
    """All rules that hold, heaviest first."""
    facts = Facts(transaction, features or derive_features(transaction, policy), policy.thresholds)
    raised = [(rule, rule.evidence(facts)) for rule in RULES]
    flags = [Flag(rule.code, evidence, rule.points) for rule, evidence in raised if evidence]
    return sorted(flags, key=lambda flag: -flag.points)


def heuristic_score(flags: list[Flag]) -> int:
    """Sum of the raised rules' points, at most 100. A hand-made score, not a probability."""
    return min(MAX_POINTS, sum(flag.points for flag in flags))


def _blacklisted(facts: Facts) -> str | None:
    match = facts.features.blacklisted
    if match is None:
        return None
    since = f" since {match.entry.since}" if match.entry.since else ""
    alike = "" if match.similarity == 100 else f" (names {match.similarity:.0f}% alike)"
    reason = f": {match.entry.reason}" if match.entry.reason else ""
    return f"{facts.transaction.merchant} is blacklisted as {match.entry.merchant}{alike}{since}{reason}"


def _suspicious_code(facts: Facts) -> str | None:
    reason = facts.features.code_reason
    if reason is None:
        return None
    named = f"transaction code {facts.transaction.transaction_code} is on the company's list of suspicious codes"
    return f"{named}: {reason}" if reason else named


def _instruction(facts: Facts) -> str | None:
    """Text that speaks to the model; enough for a person to look, whatever the label says."""
    found = addressed(facts.transaction)
    if not found:
        return None
    return f"the {next(iter(found)).replace('_', ' ')} gives instructions and was not told to the model"


def _impossible_travel(facts: Facts) -> str | None:
    distance, minutes = facts.transaction.distance_from_last_km, facts.transaction.minutes_since_last
    speed = facts.features.speed_kmh
    if speed is None or distance is None or minutes is None:
        return None
    if speed < facts.limits.speed_kmh or distance < facts.limits.min_jump_km:
        return None
    return f"{distance:,.0f} km from the last transaction {span(minutes)} earlier needs {speed:,.0f} km/h"


def _far_above_usual(facts: Facts) -> str | None:
    ratio, usual = facts.features.amount_ratio, facts.transaction.customer_usual_amount
    if ratio is None or usual is None or ratio < facts.limits.amount_ratio:
        return None
    currency = facts.transaction.currency
    amount = money(facts.transaction.amount, currency)
    return f"{amount} is {ratio:,.1f} times the customer's usual {money(usual, currency)}"


def _card_testing(facts: Facts) -> str | None:
    transaction, limits = facts.transaction, facts.limits
    count = transaction.count_1h
    if not facts.features.card_not_present or count is None or count < limits.count_1h:
        return None
    if transaction.amount > limits.testing_amount:
        return None
    return f"{money(transaction.amount, transaction.currency)} without the card, number {count} within an hour"


def _many_in_an_hour(facts: Facts) -> str | None:
    count = facts.transaction.count_1h
    return f"{count} transactions within one hour" if count is not None and count >= facts.limits.count_1h else None


def _many_in_a_day(facts: Facts) -> str | None:
    count = facts.transaction.count_24h
    return f"{count} transactions within 24 hours" if count is not None and count >= facts.limits.count_24h else None


def _young_card(facts: Facts) -> str | None:
    age = facts.transaction.card_age_days
    return f"the card is {plural(age, 'day')} old" if age is not None and facts.features.young_card else None


def _abroad(facts: Facts) -> str | None:
    here, home = facts.transaction.country, facts.transaction.customer_home_country
    return f"made in {here}, the customer's home country is {home}" if facts.features.foreign else None


def _at_night(facts: Facts) -> str | None:
    clock, limits = facts.transaction.time_of_day, facts.limits
    if clock is None or not facts.features.night:
        return None
    return f"made at {clock:%H:%M} local time (night: {limits.night_start:02d}:00 to {limits.night_end:02d}:59)"


def _new_merchant(facts: Facts) -> str | None:
    return "first purchase at this merchant" if facts.transaction.first_time_merchant else None


def _new_category(facts: Facts) -> str | None:
    return "first purchase in this merchant category" if facts.transaction.first_time_category else None


def _card_not_present(facts: Facts) -> str | None:
    return f"the card was not present ({facts.transaction.channel})" if facts.features.card_not_present else None


def _round_amount(facts: Facts) -> str | None:
    transaction = facts.transaction
    if not facts.features.round_amount:
        return None
    return f"round amount of {money(transaction.amount, transaction.currency)}"


RULES: tuple[Rule, ...] = (
    Rule("blacklisted_merchant", 60, _blacklisted),
    Rule("suspicious_code", 50, _suspicious_code),
    Rule("instruction_in_text", 50, _instruction),
    Rule("impossible_travel", 40, _impossible_travel),
    Rule("card_testing", 35, _card_testing),
    Rule("amount_far_above_usual", 30, _far_above_usual),
    Rule("velocity_1h", 25, _many_in_an_hour),
    Rule("velocity_24h", 15, _many_in_a_day),
    Rule("young_card", 15, _young_card),
    Rule("foreign_country", 12, _abroad),
    Rule("night_time", 10, _at_night),
    Rule("new_merchant", 6, _new_merchant),
    Rule("new_category", 6, _new_category),
    Rule("card_not_present", 5, _card_not_present),
    Rule("round_amount", 5, _round_amount),
)
