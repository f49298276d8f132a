"""Personal data in texts: found, counted, and replaced by its kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from stdnum import iban, luhn


@dataclass(frozen=True)
class Masked:
    """A text without its personal data, and what was found by kind."""

    text: str
    found: Counter[str]


def mask_personal_data(text: str) -> Masked:
    """Replace e-mail addresses, card numbers (Luhn), IBANs, telephone numbers, US social security and IP numbers."""
    found: Counter[str] = Counter()
    for kind, pattern, is_valid in _PATTERNS:

        def replace(match: re.Match[str], kind: str = kind, is_valid: Callable[[str], bool] = is_valid) -> str:
            if not is_valid(match[0]):
                return match[0]
            found[kind] += 1
            return f"[{kind}]"

        text = pattern.sub(replace, text)
    return Masked(text, found)


def _is_card(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn.is_valid(digits)


def _is_iban(text: str) -> bool:
    return iban.is_valid(text)


def _always(text: str) -> bool:
    return True


def _is_ip(text: str) -> bool:
    return all(int(part) <= 255 for part in text.split("."))


_PATTERNS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("email", re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]*\w\b"), _always),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), _is_iban),
    ("card", re.compile(r"\b\d(?:[ -]?\d){12,18}\b"), _is_card),
    ("phone", re.compile(r"(?<![\w+])\+\d{1,3}[ -]?(?:\(\d{1,4}\)[ -]?)?\d{1,4}(?:[ -]?\d{2,4}){2,4}\b"), _always),
    ("ssn", re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), _always),
    ("ip", re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), _is_ip),
)
