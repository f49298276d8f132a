"""The errors that tools raise: each carries a stable code, a sentence for people and data for machines."""

from __future__ import annotations

from typing import Any


class SwitchyardError(Exception):
    """Something a caller can act on.

    `code` is stable and part of the API; `message` is safe to show to any user; `details` holds the data behind it.
    """

    code = "internal_error"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.message = message
        self.details = details


class InputError(SwitchyardError):
    """The caller's input cannot be used as it is (HTTP 422)."""

    code = "invalid_input"


class DocumentError(InputError):
    """A document cannot be read: `code` says why, `message` what to do next."""

    code = "unreadable_document"


class NotFoundError(SwitchyardError):
    """The thing that was named does not exist for this owner (HTTP 404)."""

    code = "not_found"


class ModelUnavailableError(SwitchyardError):
    """No model endpoint of a role answered, after retries and fallbacks (HTTP 503)."""

    code = "model_unavailable"
