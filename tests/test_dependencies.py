"""Dependencies without known holes, and what tells about them: lower bounds, audit, bill of materials."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.test_layout import LOCKS, PROJECT, ROOT, declared, locked

# The first versions without a published vulnerability.
SECURITY_FLOORS = {
    "langgraph": "1.0.10",
    "langgraph-checkpoint": "4.1.1",
    "langgraph-checkpoint-sqlite": "3.0.1",
    "langgraph-sdk": "0.3.15",
    "langchain-core": "1.2.5",
    "langchain-openai": "1.1.14",
    "starlette": "1.3.1",
    "python-multipart": "0.0.26",
    "pypdf": "6.12.0",
}
AUDIT = runpy.run_path(str(ROOT / "scripts/audit.py"))
SBOM = runpy.run_path(str(ROOT / "scripts/sbom.py"))
SAFE = {"name": "rich", "version": "14.3.4", "vulns": []}
HOLE = {"name": "old", "version": "1.0", "vulns": [{"id": "CVE-2026-1", "fix_versions": ["1.1"]}]}
UNFIXED = {"name": "odd", "version": "2.0", "vulns": [{"id": "CVE-2026-2", "fix_versions": []}]}
SKIPPED = {"name": "private", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_the_security_floors(name: str) -> None:
    versions = locked(name)
    for package, floor in SECURITY_FLOORS.items():
        assert versions[package] >= Version(floor), package


def test_no_declared_lower_bound_is_below_its_floor() -> None:
    bounded = {
        requirement.name: requirement
        for requirement in declared(*PROJECT["optional-dependencies"])
        if requirement.name in SECURITY_FLOORS
    }
    assert set(bounded) == set(SECURITY_FLOORS)
    low = {name: str(requirement) for name, requirement in bounded.items() if admits_below(requirement)}
    assert not low


def admits_below(requirement: Requirement) -> bool:
    """Whether a requirement lets a version in that is older than its floor."""
    floor = Version(SECURITY_FLOORS[requirement.name])
    bounds = [Version(one.version) for one in requirement.specifier if one.operator in (">=", "==", "~=")]
    return not bounds or max(bounds) < floor


@pytest.mark.parametrize(
    ("line", "below"),
    [("starlette", True), ("starlette>=1.3.0", True), ("starlette<2", True), ("starlette>=1.3.1,<2", False)],
)
def test_a_bound_below_the_floor_is_noticed(line: str, below: bool) -> None:
    assert admits_below(Requirement(line)) is below


def test_packages_that_bring_holes_are_not_served() -> None:
    assert not {"langchain-community", "llama-cpp-python", "langgraph-checkpoint-redis"} & locked("base").keys()


@pytest.mark.parametrize(
    ("dependencies", "status", "said"),
    [
        ([SAFE], 0, "nothing is known about 1 packages"),
        ([SAFE, HOLE], 1, "old 1.0: CVE-2026-1, fixed in 1.1"),
        ([UNFIXED], 1, "fixed in no version yet"),
        ([HOLE, SKIPPED], 1, "could not be asked about: private"),
        ([SAFE, SKIPPED], 2, "1 packages could not be asked about: private"),
        ([SKIPPED], 2, "cannot be reached from here"),
    ],
)
def test_what_was_not_asked_about_was_not_audited(dependencies: list[Any], status: int, said: str) -> None:
    found, lines = AUDIT["verdict"]({"dependencies": dependencies})
    assert (found, said in "\n".join(lines)) == (status, True)


def test_without_a_tool_the_audit_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    status, lines = AUDIT["audit"](ROOT / "locks/base.txt")
    assert status == 2
    assert "pip install uv" in lines[0]


def test_a_tool_that_fails_is_not_a_clean_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "pip-audit"
    tool.write_text("#!/bin/sh\necho 'no route to host' >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    status, lines = AUDIT["audit"](ROOT / "locks/base.txt")
    assert status == 2
    assert "no route to host" in lines[0]


@pytest.mark.parametrize("lock", LOCKS)
def test_the_bill_of_materials_lists_the_whole_lock(lock: str, tmp_path: Path) -> None:
    output = tmp_path / "sbom.json"
    command = [sys.executable, ROOT / "scripts/sbom.py", "--lock", lock, "--output", output]
    subprocess.run(command, check=True, capture_output=True)
    bom = json.loads(output.read_text(encoding="utf-8"))
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.5")
    listed = {component["name"]: component["version"] for component in bom["components"]}
    assert {name: str(version) for name, version in locked(lock).items()}.items() <= listed.items()
    references = [component["bom-ref"] for component in bom["components"]]
    assert len(set(references)) == len(references)
    own = bom["metadata"]["component"]["bom-ref"]
    graph = {entry["ref"]: entry["dependsOn"] for entry in bom["dependencies"]}
    assert set(graph) == {own, *references}
    assert all(set(children) <= set(references) for children in graph.values())
    if lock != "studio":
        assert f"pkg:pypi/langgraph@{listed['langgraph']}" in graph[own]


def test_the_same_lock_gives_the_same_bill() -> None:
    text = (
        "rich==14.0 \\\n    --hash=sha256:" + "a" * 64 + "\n    # via app (pyproject.toml)\n"
        "tqdm==4.0 ; python_version < '3.12' \\\n    --hash=sha256:" + "b" * 64 + "\n    # via rich, -c x.txt\n"
    )
    bom = SBOM["bill_of_materials"](text, {"name": "app", "version": "1"})
    assert bom == SBOM["bill_of_materials"](text, {"name": "app", "version": "1"})
    rich, tqdm = bom["components"]
    assert rich["externalReferences"][0]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert tqdm["properties"] == [{"name": "python:marker", "value": "python_version < '3.12'"}]
    assert {entry["ref"]: entry["dependsOn"] for entry in bom["dependencies"]} == {
        "pkg:pypi/app@1": ["pkg:pypi/rich@14.0"],
        "pkg:pypi/rich@14.0": ["pkg:pypi/tqdm@4.0"],
        "pkg:pypi/tqdm@4.0": [],
    }
