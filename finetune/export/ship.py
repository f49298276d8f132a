"""What of an export comes with the project: what serving and the gate need, no weights that serving does not read.

python -m finetune.export.ship EXPORT REPORT TARGET
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from finetune.export.card import OUR_ROWS, write_card
from finetune.export.package import GGUF_NAME, PARITY_NAME, write_manifest
from finetune.export.parity import Parity
from finetune.gate import REPORT_NAME, read_report, report_json, require_report_of
from finetune.registry import read_manifest
from tools.fraud.manifest import AdapterManifest
from tools.fraud.prompt import load_prompt


def ship(exported: Path, report: Path, target: Path) -> AdapterManifest:
    """Replace the folder `target` by a part of an export: GGUF, manifest, card, parity, and the report without rows.

    Raises PromotionError for a folder that is no export, ReportError for a report of another adapter.
    """
    manifest, measured = read_manifest(exported), read_report(report)
    require_report_of(manifest.weights_sha256, measured)
    prompt = load_prompt(manifest.prompt_version)
    assert prompt.sha256 == manifest.prompt_sha256, "the project's adapter answers the project's prompt"
    parity = json.loads((exported / PARITY_NAME).read_text("utf-8"))
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in (GGUF_NAME, PARITY_NAME):
        shutil.copyfile(exported / name, partial / name)
    checked = {name: Parity(**found) for name, found in parity.items()}
    write_card(partial, manifest, prompt.instruction, checked, measured, rows=OUR_ROWS)
    written = write_manifest(partial, manifest)
    (partial / REPORT_NAME).write_text(report_json(measured), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return written


if __name__ == "__main__":
    print(ship(*map(Path, sys.argv[1:4])).name)
