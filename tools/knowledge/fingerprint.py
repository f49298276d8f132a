"""Fitted weights named by their content."""

from __future__ import annotations

import hashlib
import json

_DIGITS = 12


def fingerprint(*parts: object) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of `parts`, which JSON must be able to say."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_DIGITS]
