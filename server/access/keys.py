"""API keys: how they look, and what is stored of them.

A key is `swy_<id>_<secret>`. The id finds its row; the secret is 256 random bits, so that one round of SHA-256 is as
hard to reverse as any slower function: there is nothing to guess. Only that hash is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

_ID_BYTES = 6
_SECRET_BYTES = 32
_ID = re.compile(r"[0-9a-f]{12}")
_KEY = re.compile(r"swy_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class ApiKey:
    """A key in clear. It exists when it is made and while a request that brings it is checked."""

    key_id: str
    secret: str = field(repr=False)

    @classmethod
    def new(cls, key_id: str | None = None) -> ApiKey:
        """A key that nobody has seen; with `key_id` a new secret for a key that there is."""
        return cls(key_id or secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> ApiKey | None:
        """The key that a text is; None where it is none."""
        found = _KEY.fullmatch(text)
        return cls(found[1], found[2]) if found else None

    @property
    def text(self) -> str:
        """The key as people write it."""
        return f"swy_{self.key_id}_{self.secret}"

    @property
    def sha256(self) -> str:
        """What is stored of it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def is_hashed_as(self, stored: str) -> bool:
        """Whether this is the key behind a stored hash; takes the same time wherever the two differ."""
        return hmac.compare_digest(self.sha256, stored)


def key_id_of(text: str) -> str | None:
    """The id that a text is, or that the key has which it is: whoever finds a leaked key can name it as it is."""
    if _ID.fullmatch(text):
        return text
    key = ApiKey.parse(text)
    return key.key_id if key else None
