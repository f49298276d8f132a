"""Ask the public vulnerability database about every package of a lock: `make audit`.

pip-audit does the asking; it is fetched by uv for the call and is no dependency. Where it cannot ask about a package
it says so in passing and still ends well, so its report is read here: what was not asked about was not audited.

Exit status 0: nothing is known. 1: something is, and is listed. 2: the question could not be asked.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = ("base", "postgres", "dev", "studio", "finetune", "finetune-cuda", "build")
CLEAN, VULNERABLE, NOT_ASKED = 0, 1, 2
_OPTIONS = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--requirement")
_FLOORS = "The tests keep the lower bounds of known holes all the same: make test ARGS=tests/test_dependencies.py"


def main() -> None:
    """Audit the lock that `--lock` names, by default `base`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", choices=LOCKS, default="base")
    lock = parser.parse_args().lock
    status, lines = audit(ROOT / "locks" / f"{lock}.txt")
    print("\n".join(lines), file=sys.stderr if status else sys.stdout)
    sys.exit(status)


def audit(lock: Path) -> tuple[int, list[str]]:
    """The exit status, and what to tell."""
    command = _pip_audit()
    if command is None:
        return NOT_ASKED, ["audit: pip-audit is missing. Install uv or pip-audit: python3 -m pip install uv", _FLOORS]
    done = subprocess.run([*command, *_OPTIONS, str(lock)], capture_output=True, text=True, check=False)
    try:
        report = json.loads(done.stdout)
    except json.JSONDecodeError:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return NOT_ASKED, [f"audit: pip-audit could not ask ({last}). Try again where there is a network.", _FLOORS]
    return verdict(report)


def verdict(report: dict[str, Any]) -> tuple[int, list[str]]:
    """The exit status that pip-audit's JSON report amounts to, and what to tell."""
    asked = [one for one in report["dependencies"] if "skip_reason" not in one]
    skipped = [one["name"] for one in report["dependencies"] if "skip_reason" in one]
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, fixed in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in asked
        for hole in one["vulns"]
    ]
    if holes:
        return VULNERABLE, [f"audit: {len(holes)} known vulnerabilities", *holes, *_not_asked(skipped)]
    if not asked:
        unreachable = "audit: the vulnerability database knows none of the packages: it cannot be reached from here."
        return NOT_ASKED, [f"{unreachable} Try again where there is a network.", _FLOORS]
    if skipped:
        return NOT_ASKED, [f"audit: nothing is known about {len(asked)} packages.", *_not_asked(skipped)]
    return CLEAN, [f"audit: nothing is known about {len(asked)} packages."]


def _not_asked(skipped: Sequence[str]) -> list[str]:
    return [f"audit: {len(skipped)} packages could not be asked about: {', '.join(skipped)}"] if skipped else []


def _pip_audit() -> list[str] | None:
    if shutil.which("pip-audit"):
        return ["pip-audit"]
    return ["uvx", "--quiet", "pip-audit"] if shutil.which("uvx") else None


if __name__ == "__main__":
    main()
