"""Text in a transaction that speaks to the model instead of telling a fact.

Merchants and payers write names, notes and details. What a model is trained on must not change, so such text cannot be
marked there: it is left out of the narrative, and is itself a red flag.
"""

from __future__ import annotations

import re
from typing import Any

from tools.disguise import undisguised
from tools.fraud.transaction import Transaction

_FREE_TEXT = ("merchant", "merchant_category", "city", "country", "transaction_code", "note")
_GAP = r"[\W_]*"
_NEAR = r"\W(?:.{0,40}\W)?"
_TELL = r"(?:label|classify|categori[sz]e|mark|treat|answer|respond|reply|output|verdict|decision)"
_SPEAKS = re.compile(
    rf"\b(?:ignor(?:e|ing)|disregard|forget|overrid(?:e|ing)|bypass){_GAP}(?:\w+\W+){{0,3}}?"
    r"(?:all|any|previous|prior|above|earlier|preceding|instructions?|rules?|flags?|facts|context|everything|prompt)\b"
    r"|\b(?:ignore|disregard|forget)(?:all|any|the|previous)\w*"
    rf"|\b{_TELL}{_NEAR}(?:legit\w*|fraud\w*)\b|\b(?:return|say){_NEAR}legit\w*"
    rf"|\b{_TELL}{_NEAR}(?:as|with|is)\W+(?:safe|genuine|benign|harmless|low risk)\b"
    r"|\b(?:system|developer)\s+(?:prompt|message|override|instruction)"
    r"|(?:^|[\s.;,|])(?:system|assistant|developer)\s*:"
    r"|\byou\s+are\s+(?:now\b|an?\s+\w+\s*(?:model|assistant|ai|system)\b)|\bas\s+an\s+ai\b"
    r"|\bnew\s+instructions?\b|\bend\s+of\s+(?:transaction|prompt|input)\b|#{2,}\s*\w"
    r"|<\s*/?\s*\|?\s*(?:im_start|im_end|endoftext|system|user|assistant|s|sys)\b|\[/?inst\]",
    re.IGNORECASE,
)
# The model's own words for its answer, which people write otherwise.
_LABEL = re.compile(r"\bLEGITIMATE\b")


def speaks_to_the_model(text: str) -> bool:
    """Whether a text gives instructions or names an answer; disguised letters make no difference."""
    seen = undisguised(text)
    return bool(_SPEAKS.search(seen) or _LABEL.search(seen))


def addressed(transaction: Transaction) -> dict[str, str]:
    """The fields of a transaction that speak to the model, with what they say."""
    texts = {name: value for name in _FREE_TEXT if (value := getattr(transaction, name)) is not None}
    texts |= {name: f"{name.replace('_', ' ')} {value}" for name, value in transaction.details.items()}
    return {name: text for name, text in texts.items() if speaks_to_the_model(text)}


def as_told(transaction: Transaction) -> Transaction:
    """The transaction as the model is told of it: without the fields that speak to it."""
    silenced = addressed(transaction)
    if not silenced:
        return transaction
    update: dict[str, Any] = dict.fromkeys(silenced.keys() & set(_FREE_TEXT))
    update["details"] = {name: value for name, value in transaction.details.items() if name not in silenced}
    return transaction.model_copy(update=update)
