"""The API against its own description: Schemathesis calls every operation, with a key and without."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.reliability.stage import Stage

Json = dict[str, Any]

PHASES = ("examples", "coverage", "fuzzing", "stateful")
# Keys without limits: what is asked for is the contract, not the rate.
FIELDS: Json = {
    "auth": "keys",
    **dict.fromkeys(("requests_per_minute", "tokens_per_day", "usd_per_day", "usd_per_month"), 0),
}
SERVER_ERROR = "not_a_server_error"
VIOLATIONS = (
    *("status_code_conformance", "content_type_conformance", "response_headers_conformance"),
    *("response_schema_conformance", "negative_data_rejection", "missing_required_header", "ignored_auth"),
    *("unsupported_method", "use_after_free", "ensure_resource_availability"),
)
_TIMEOUT_S = 60


@dataclass
class Calls:
    """What Schemathesis did and found."""

    operations: int = 0
    by_phase: Counter[str] = field(default_factory=Counter[str])
    by_status: Counter[str] = field(default_factory=Counter[str])
    failures: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    """By check, operation and message."""
    errors: list[str] = field(default_factory=list[str])
    """Calls that Schemathesis could not make."""

    def note(self, event: str, told: Json) -> None:
        """Take in an event of the report."""
        if event == "LoadingFinished":
            self.operations = told["statistic"]["operations"]["selected"]
        elif event in ("NonFatalError", "FatalError"):
            self.errors.append(json.dumps(told)[:500])
        elif event == "ScenarioFinished":
            self._note_calls(told["phase"], told["recorder"])

    def _note_calls(self, phase: str, calls: Json) -> None:
        for call in calls.get("interactions", {}).values():
            status = (call.get("response") or {}).get("status_code")
            self.by_phase[phase] += 1
            self.by_status[str(status or "none")] += 1
        for check in (one for checks in calls.get("checks", {}).values() for one in checks):
            if check["status"] != "success":
                failure = check["failure_info"]["failure"]
                # Chains of calls have no operation of their own.
                self.failures[check["name"], failure.get("operation", calls["label"]), failure["message"][:300]] += 1

    def as_json(self) -> Json:
        """For the results file."""
        found = Counter[str]()
        for (check, _, _), times in self.failures.items():
            found["server_errors" if check == SERVER_ERROR else "schema_violations"] += times
        told = [f"{operation}: {check}: {message}" for check, operation, message in self.failures]
        return {
            "operations": self.operations,
            "calls": self.by_phase.total(),
            "calls_by_phase": dict(self.by_phase),
            "answers_by_status": dict(sorted(self.by_status.items())),
            "checks": [SERVER_ERROR, *VIOLATIONS],
            "server_errors": found["server_errors"],
            "schema_violations": found["schema_violations"],
            "broken": [*told, *self.errors],
        }


def call_all(
    server: Stage,
    folder: Path,
    *,
    phases: Sequence[str],
    seed: int,
    examples: int,
    without: Sequence[str] = (),
    show: bool = False,
) -> Json:
    """Call all operations of a server's own description but those at `without`; `show` tells how far that is.

    Raises:
        RuntimeError: Schemathesis did not run to its end.
    """
    report = folder / "calls.ndjson"
    options = {
        "phases": ",".join(phases),
        "checks": ",".join((SERVER_ERROR, *VIOLATIONS)),
        "seed": seed,
        "max-examples": examples,
        "generation-database": "none",
        "request-timeout": _TIMEOUT_S,
        "header": f"Authorization: {server.headers['Authorization']}",
        "report-ndjson-path": report,
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    given += [f"--exclude-path={path}" for path in without]
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        f"{server.url}/openapi.json",
        *given,
        "--continue-on-failure",
    ]
    # Whatever Schemathesis keeps for the next time belongs to this time only.
    ran = subprocess.run(command, cwd=folder, capture_output=not show, text=True, check=False)
    # 1: it found something.
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"Schemathesis ended with {ran.returncode}: {ran.stdout} {ran.stderr}")
    calls = Calls()
    for event, told in _events(report):
        calls.note(event, told)
    return calls.as_json()


def _events(report: Path) -> Iterator[tuple[str, Json]]:
    with report.open(encoding="utf-8") as lines:
        for line in lines:
            yield from json.loads(line).items()
