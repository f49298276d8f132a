"""What the audit log says of runs and of transactions that were scored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.audit.entry import AuditEntry, AuditKind
from server.audit.key import AuditKey
from server.runs.rows import NewRun, Outcome

# Which role's model and prompt a route used, as `versions` names them.
_ROLES = {"knowledge": "answer", "unknown": "answer", "extraction": "extract", "fraud": "fraud"}
_KEPT = ("routed_to", "confidence", "abstained", "reason", "cached", "degraded", "versions")


def run_entry(key: AuditKey, run: NewRun, outcome: Outcome) -> AuditEntry:
    """How a run ended: a fraud decision where it scored a transaction."""
    result = outcome.result or {}
    fraud: Mapping[str, Any] | None = result.get("fraud")
    explanation = result.get("explanation", {})
    about = {name: result[name] for name in _KEPT if name in result}
    about |= {"status": outcome.status, "error_code": outcome.error_code}
    answer = result.get("answer")
    values: dict[str, Any] = {
        **_used(result),
        **({} if result.get("route") else _unanswered(outcome)),
        **({} if fraud is None else _judged(fraud)),
        "chunks": [passage["chunk_id"] for passage in explanation.get("passages", [])],
        "output_hash": None if answer is None else key.fingerprint(answer),
    }
    return _of_run(key, run, _kind(outcome, fraud), about, values)


def taken_back_entry(key: AuditKey, run: NewRun) -> AuditEntry:
    """That a run was rolled back: nothing else remembers it."""
    return _of_run(key, run, "run_ended", {"status": "rolled_back"}, {"outcome": "rolled_back"})


def score_entry(
    key: AuditKey, owner: str, asked: str | Mapping[str, Any], fraud: Mapping[str, Any], prompt: str
) -> AuditEntry:
    """The score of one transaction outside of a conversation; `asked` is what came in, `fraud` the answer's JSON."""
    return AuditEntry(
        "fraud_decision",
        owner,
        input_hash=key.fingerprint(asked),
        output_hash=key.fingerprint(fraud),
        prompt=prompt,
        route="fraud",
        **_judged(fraud),
    )


def _of_run(
    key: AuditKey, run: NewRun, kind: AuditKind, about: Mapping[str, Any], values: Mapping[str, Any]
) -> AuditEntry:
    more: dict[str, Any] = dict(values)
    more["details"] = {"thread_id": run.thread_id, "trace_id": run.trace_id, **more.get("details", {}), **about}
    return AuditEntry(kind, run.owner, run_id=run.run_id, input_hash=key.fingerprint(run.message), **more)


def _kind(outcome: Outcome, fraud: Mapping[str, Any] | None) -> AuditKind:
    if outcome.paused:
        return "run_paused"
    return "run_ended" if fraud is None else "fraud_decision"


def _unanswered(outcome: Outcome) -> dict[str, Any]:
    return {"outcome": outcome.status, "reasons": [outcome.error_code] if outcome.error_code else []}


def _used(result: Mapping[str, Any]) -> dict[str, Any]:
    """Route, model and prompt of a run, and the evidence that its passages gave."""
    route: str | None = result.get("route")
    role, versions = _ROLES.get(route or "", ""), result.get("versions", {})
    evidence = result.get("explanation", {}).get("evidence", {})
    reason = result.get("reason")
    return {
        "route": route,
        "model": versions.get(f"{role}_model"),
        "model_sha256": versions.get(f"{role}_model_sha256"),
        "prompt": versions.get(f"{role}_prompt"),
        "outcome": reason or "answered",
        "score": evidence.get("probability"),
        "threshold": evidence.get("threshold"),
        "reasons": [reason] if reason else [],
    }


def _judged(fraud: Mapping[str, Any]) -> dict[str, Any]:
    model = fraud["model"]
    adapter: str | None = model["adapter"]
    return {
        "model": model["base"],
        "model_sha256": model.get("base_sha256"),
        "adapter": adapter,
        "adapter_sha256": None if adapter is None else model["sha256"],
        "outcome": fraud["label"],
        "score": fraud["probability"],
        "threshold": fraud.get("threshold"),
        "reasons": [flag["code"] for flag in fraud["red_flags"]],
        "details": {"calibrated": fraud["calibrated"], "needs_review": fraud["needs_review"]},
    }
