"""Write the software bill of materials of a lock as CycloneDX 1.5 JSON: `make sbom`.

Everything comes from the lock itself, so that the list is of what is installed and needs no network: versions and
hashes as pip checks them, and who wants each package as uv noted it.
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = ("base", "postgres", "dev", "studio", "finetune", "finetune-cuda", "build")
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\#]+))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"#\s*via\s+(.+)")


def main() -> None:
    """Write the file that `--output` names, by default `sbom.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", choices=LOCKS, default="base", help="which of locks/ to describe")
    parser.add_argument("--output", type=Path, default=Path("sbom.json"))
    chosen = parser.parse_args()
    bom = bill_of_materials((ROOT / "locks" / f"{chosen.lock}.txt").read_text(encoding="utf-8"), project())
    chosen.output.write_text(json.dumps(bom, indent=2) + "\n", encoding="utf-8")
    print(f"{chosen.output}: {len(bom['components'])} packages of locks/{chosen.lock}.txt, CycloneDX 1.5")


def project() -> dict[str, str]:
    """Name and version of this project."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"name": table["name"], "version": table["version"]}


def bill_of_materials(lock: str, root: dict[str, str]) -> dict[str, Any]:
    """The CycloneDX document of a lock's text; the same lock gives the same document, serial number included."""
    pins = [pin for block in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE) if (pin := _read(block))]
    own = _reference(root["name"], root["version"])
    references = {pin["name"]: pin["reference"] for pin in pins} | {root["name"]: own}
    wanted: dict[str, set[str]] = {reference: set() for reference in references.values()}
    for pin in pins:
        for parent in pin["parents"]:
            if parent in references:
                wanted[references[parent]].add(pin["reference"])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, lock)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": own, **root}},
        "components": [_component(pin) for pin in pins],
        "dependencies": [{"ref": ref, "dependsOn": sorted(children)} for ref, children in sorted(wanted.items())],
    }


def _read(block: str) -> dict[str, Any] | None:
    match = _PIN.match(block)
    if match is None:
        return None
    name = re.sub(r"[-_.]+", "-", match["name"]).lower()
    via = _VIA.search(block)
    parents = {part.strip().partition(" ")[0] for part in via[1].split(",")} if via else set[str]()
    return {
        "name": name,
        "version": match["version"],
        "marker": (match["marker"] or "").strip(),
        "hashes": _HASH.findall(block),
        "parents": parents,
        "reference": _reference(name, match["version"]),
    }


def _component(pin: dict[str, Any]) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": pin["reference"],
        "name": pin["name"],
        "version": pin["version"],
        "purl": pin["reference"],
    }
    if pin["hashes"]:
        # One for each file that the package is published as; pip takes the one that fits the machine.
        sources = [{"alg": "SHA-256", "content": digest} for digest in pin["hashes"]]
        component["externalReferences"] = [
            {"type": "distribution", "url": pin["reference"], "hashes": [source]} for source in sources
        ]
    if pin["marker"]:
        component["properties"] = [{"name": "python:marker", "value": pin["marker"]}]
    return component


def _reference(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


if __name__ == "__main__":
    main()
