"""What can go wrong between a caller's text and a fraud score."""

from __future__ import annotations

from collections.abc import Sequence

from tools.errors import InputError, SwitchyardError

COUNTERPARTY_FIELDS = ("merchant", "merchant_category", "channel")

_ASK = {
    "amount": "the amount",
    "merchant": "where it was made (a merchant, a merchant category or a channel)",
}


class MissingFieldsError(InputError):
    """A transaction lacks facts without which a score would be a guess.

    `details["missing"]` names them; `merchant` is also satisfied by a merchant category or a channel.
    """

    code = "missing_fields"

    def __init__(self, missing: Sequence[str]) -> None:
        wanted = " and ".join(_ASK[name] for name in missing)
        super().__init__(
            f"To score this transaction I still need {wanted}.",
            missing=list(missing),
            any_of={"merchant": list(COUNTERPARTY_FIELDS)} if "merchant" in missing else {},
        )


class FieldsError(InputError):
    """Fields of a transaction hold values that cannot be true; `details["fields"]` maps each to the reason."""

    code = "invalid_fields"

    def __init__(self, reasons: dict[str, str]) -> None:
        listed = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        super().__init__(f"The transaction cannot be read: {listed}.", fields=reasons)


class AdapterError(SwitchyardError):
    """An adapter's files do not match its manifest, or the manifest does not fit this version (never loaded then)."""

    code = "adapter_invalid"
