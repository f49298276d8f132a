"""The company's own fraud rules: thresholds, blacklisted merchants and suspicious transaction codes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from rapidfuzz import fuzz

from tools.errors import InputError

_LEGAL_FORMS = re.compile(r"\b(?:inc|llc|ltd|limited|gmbh|ag|sa|srl|bv|plc|co|corp|company|pty|oy|ab|as)\b")
_MIN_FUZZY_CHARS = 6


@dataclass(frozen=True)
class Thresholds:
    """When a fact becomes a red flag. Amounts are in the transaction's currency."""

    amount_ratio: float = 5.0
    speed_kmh: float = 900.0
    min_jump_km: float = 100.0
    night_start: int = 0
    night_end: int = 5
    count_1h: int = 5
    count_24h: int = 15
    young_card_days: float = 14.0
    round_amount: float = 500.0
    testing_amount: float = 5.0
    merchant_similarity: float = 92.0


@dataclass(frozen=True)
class BlacklistedMerchant:
    """A merchant the company does not want to see, with the reason and the date of the entry."""

    merchant: str
    reason: str
    since: str = ""
    merchant_id: str = ""


@dataclass(frozen=True)
class BlacklistMatch:
    """The entry that a merchant's name matched, and how alike the names are (0 to 100; 100: the same)."""

    entry: BlacklistedMerchant
    similarity: float


@dataclass(frozen=True)
class FraudPolicy:
    """Everything company-specific that flags and features are computed with. The default knows no company."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    blacklist: tuple[BlacklistedMerchant, ...] = ()
    suspicious_codes: Mapping[str, str] = field(default_factory=dict[str, str])

    def find_blacklisted(self, merchant: str) -> BlacklistMatch | None:
        """The blacklist entry whose name this is, ignoring case, legal forms, store numbers and small misspellings."""
        name = normalise_merchant(merchant)
        matches = [BlacklistMatch(entry, _similarity(name, entry)) for entry in self.blacklist]
        best = max(matches, key=lambda match: match.similarity, default=None)
        return best if best and best.similarity >= self.thresholds.merchant_similarity else None

    def suspicious_code(self, code: str) -> str | None:
        """Why this transaction code is suspicious, or None."""
        return self.suspicious_codes.get(_fold_code(code))


def load_policy(
    blacklist: Path | None = None, codes: Path | None = None, thresholds: Thresholds | None = None
) -> FraudPolicy:
    """Read a policy from CSV files: `merchant_id, merchant, reason, since` and `code, reason`.

    Raises InputError naming the file and what is wrong with it.
    """
    entries = [
        BlacklistedMerchant(row["merchant"], row.get("reason", ""), row.get("since", ""), row.get("merchant_id", ""))
        for row in (_rows(blacklist, "merchant") if blacklist else ())
    ]
    reasons = {_fold_code(row["code"]): row.get("reason", "") for row in (_rows(codes, "code") if codes else ())}
    return FraudPolicy(thresholds or Thresholds(), tuple(entries), reasons)


@lru_cache(maxsize=4096)
def normalise_merchant(name: str) -> str:
    """A merchant's name as compared: lower case, without punctuation, legal form and store number."""
    folded = re.sub(r"[^\w\s]+", " ", name.casefold().replace("&", " and "))
    words = _LEGAL_FORMS.sub(" ", folded).split()
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    return " ".join(words)


def _similarity(name: str, entry: BlacklistedMerchant) -> float:
    listed = normalise_merchant(entry.merchant)
    if not name or not listed:
        return 0.0
    if name.replace(" ", "") == listed.replace(" ", ""):
        return 100.0
    # One letter makes another company of a short name.
    return fuzz.ratio(name, listed) if min(len(name), len(listed)) >= _MIN_FUZZY_CHARS else 0.0


def _fold_code(code: str) -> str:
    return re.sub(r"[\s-]", "", code).upper()


def _rows(path: Path, required: str) -> Iterable[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = [
                {key.strip(): (value or "").strip() for key, value in row.items() if isinstance(key, str)}
                for row in csv.DictReader(handle)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The policy file {path.name} cannot be read.", file=path.name) from error
    for number, row in enumerate(rows, start=2):
        if not row.get(required):
            raise InputError(f"{path.name} line {number} has no {required!r}.", file=path.name, line=number)
    return rows
