"""Why a run ended without a result, as readers and callers are told."""

from __future__ import annotations

from server.runs.live import StopReason
from server.runs.rows import RunStatus
from tools.errors import InputError, ModelUnavailableError, NotFoundError, SwitchyardError

SERVER_STOPPED = "server_stopped"
_TOLD: dict[StopReason, str] = {
    "cancelled": "The run was cancelled.",
    "superseded": "The run was ended by a newer message.",
    "rolled_back": "The run was taken back.",
    "shutting_down": "The server is shutting down. Your message is kept; ask again in a moment.",
    "lease_lost": "The run goes on in another process.",
}


class RunStoppedError(SwitchyardError):
    """The run was ended before it had a result, by its owner or by the server's end (HTTP 409)."""

    code = "cancelled"


def stopped(reason: StopReason) -> tuple[RunStatus, SwitchyardError]:
    """The status and the error of a run that was stopped."""
    if reason == "shutting_down":
        return "error", RunStoppedError(_TOLD[reason], code="shutting_down")
    return "cancelled", RunStoppedError(_TOLD[reason])


def unfinished_after(attempts: int) -> SwitchyardError:
    """The error of a run that the server's end has cut off too often, or that it cannot drive again."""
    times = "during this run" if attempts == 1 else f"{attempts} times during this run"
    return RunStoppedError(f"The server stopped {times}. Your message is kept; ask again.", code=SERVER_STOPPED)


def told_error(code: str, message: str) -> SwitchyardError:
    """The error of an ended run again, of its code: of the same kind, so that it is answered with the same status."""
    kinds: dict[str, type[SwitchyardError]] = {
        "model_unavailable": ModelUnavailableError,
        "model_refused": InputError,
        "not_found": NotFoundError,
        "cancelled": RunStoppedError,
        "shutting_down": RunStoppedError,
        SERVER_STOPPED: RunStoppedError,
    }
    return kinds.get(code, SwitchyardError)(message, code=code)
