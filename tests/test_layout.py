"""The repository keeps its own rules: layout, directions of imports, dependencies with reasons, locks that hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
PACKAGES = ("agent", "graphs", "tools", "finetune", "server", "eval")
LAYOUT = (
    *(*PACKAGES, "deploy", "docs/architecture.md", "docs/decisions", "samples", "tests"),
    *(".ci/run", ".github/workflows/ci.yml", "Makefile", "langgraph.json", "locks/base.txt"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md"),
)
# Lock -> the extras it adds to the base set.
LOCKS = {
    "base": (),
    "studio": (),
    "postgres": ("postgres",),
    "dev": ("eval", "phoenix", "postgres", "dev"),
    "finetune": ("finetune",),
    "finetune-cuda": ("finetune",),
}


def declared(*extras: str) -> list[Requirement]:
    """The requirements of the base set and of these extras."""
    lines = [*PROJECT["dependencies"]]
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def locked(name: str) -> dict[str, Version]:
    """The versions that a lock pins for this interpreter, by canonical name."""
    versions: dict[str, Version] = {}
    for line in (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if not re.match(r"[a-z0-9]", line):
            continue
        requirement = Requirement(line.split("  #")[0].removesuffix("\\").strip())
        if requirement.marker is None or requirement.marker.evaluate():
            (pin,) = requirement.specifier
            assert pin.operator == "==", line
            versions[canonicalize_name(requirement.name)] = Version(pin.version)
    return versions


def tracked_files() -> list[Path]:
    """Every file that git tracks and that is still there."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def imported_modules(package: str) -> Iterator[str]:
    """The top-level modules that a package's files import absolutely."""
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0]


@pytest.mark.parametrize("name", LAYOUT)
def test_the_layout_of_the_design_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_no_file_names_a_machine_or_a_registry() -> None:
    # Written so that this file does not match itself.
    forbidden = re.compile(
        rb"/(?:root|home/\w+)/\.\w"
        rb"|(?:pypi|pythonhosted)\.org|registry\.(?:npmjs)\.org|(?:deb|security)\.debian\.org|(?:extra-)?index-url\s*="
    )
    found = [
        f"{path.relative_to(ROOT)}: {hit[0]!r}"
        for path in tracked_files()
        for hit in [forbidden.search(path.read_bytes())]
        if hit
    ]
    assert not found


def test_no_test_changes_the_clock_of_everybody() -> None:
    """Servers of the session run in threads beside every test; one that sleeps on a patched clock never wakes up."""
    patched = re.compile(r"setattr\(\s*(?:\"[\w.]*\b(?:asyncio|time)\.\w+\"|(?:\w+\.)*(?:asyncio|time),)")
    files = [path for path in tracked_files() if path.suffix == ".py" and path.is_relative_to(ROOT / "tests")]
    assert [path.name for path in files if patched.search(path.read_text(encoding="utf-8"))] == []


def test_every_dependency_has_a_reason() -> None:
    table = (ROOT / "docs/decisions/0006-dependencies.md").read_text(encoding="utf-8")
    reasons = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", table, re.MULTILINE))
    names = {requirement.name for requirement in declared(*PROJECT["optional-dependencies"])}
    assert names == set(reasons)
    assert all(len(reason.split()) > 1 for reason in reasons.values())


def test_every_third_party_import_is_declared() -> None:
    providers = packages_distributions()
    allowed = {canonicalize_name(requirement.name) for requirement in declared(*PROJECT["optional-dependencies"])}
    own = {*PACKAGES, "samples"}
    missing = {
        module
        for package in PACKAGES
        for module in imported_modules(package)
        if module not in own | sys.stdlib_module_names
        and not allowed & {canonicalize_name(name) for name in providers.get(module, [module])}
    }
    assert not missing


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_every_declared_dependency(name: str) -> None:
    versions = locked(name)
    for requirement in declared(*LOCKS[name]):
        if requirement.marker is None or requirement.marker.evaluate():
            assert versions[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_dev_is_a_superset_of_base() -> None:
    assert locked("base").items() <= locked("dev").items()


def test_the_base_set_has_no_torch() -> None:
    assert not {"torch", "transformers", "sentence-transformers", "llama-cpp-python"} & locked("base").keys()


@pytest.mark.parametrize("name", ["build", "base", "postgres", "dev", "studio"])
def test_locks_are_checked_by_hash(name: str) -> None:
    text = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    pins = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert pins
    assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_imports_point_one_way() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
