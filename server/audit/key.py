"""The audit key: makes fingerprints of inputs that nobody can guess, and seals that nobody else can make."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from server.audit.entry import canonical
from tools.errors import SwitchyardError

_KEY_BYTES = 32


class AuditKeyError(SwitchyardError):
    """The audit key cannot be read or written."""

    code = "audit_key"


class AuditKey:
    """A secret of 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        """Use `secret`, which stays out of logs and exports."""
        self._secret = secret

    def fingerprint(self, value: str | Mapping[str, Any]) -> str:
        """A keyed hash of a text, or of JSON fields, in hexadecimal: the same input gives the same.

        A plain hash of a short text could be guessed: one would hash all likely transactions.
        """
        text = value.strip() if isinstance(value, str) else canonical(value)
        return self._mac("input", text)

    def seal(self, what: Literal["row", "head"], text: str) -> str:
        """A keyed hash that proves who wrote a row or a head, in hexadecimal."""
        return self._mac(what, text)

    def fits(self, what: Literal["row", "head"], text: str, seal: str) -> bool:
        """Whether `seal` was made of this text with this key."""
        return hmac.compare_digest(self._mac(what, text).encode(), seal.encode("utf-8", "surrogatepass"))

    def _mac(self, purpose: str, text: str) -> str:
        # The purpose keeps a fingerprint from being passed off as a seal.
        message = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


def load_key(path: Path) -> AuditKey:
    """Read a key from its file. Blocks.

    Raises:
        AuditKeyError: the file is not there, not readable or holds no key.
    """
    try:
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise AuditKeyError(f"The audit key {path} cannot be read ({error.strerror}).", path=str(path)) from None
    except ValueError:
        secret = b""
    if len(secret) != _KEY_BYTES:
        raise AuditKeyError(f"{path} holds no audit key: 64 hexadecimal digits.", path=str(path))
    return AuditKey(secret)


def load_or_create_key(path: Path) -> AuditKey:
    """Read the key, and make one where there is none, readable for this user alone. Blocks.

    Raises:
        AuditKeyError: it cannot be read or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return load_key(path)
    except OSError as error:
        raise AuditKeyError(f"The audit key {path} cannot be written ({error.strerror}).", path=str(path)) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return load_key(path)
