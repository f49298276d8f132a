"""A prepared data set's card for the documentation, regenerated from its report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from finetune.data.card import write_card
from tools.errors import InputError

NAME = "finetune-data"


def publish(prepared: Path, docs: Path) -> Path:
    """Write `finetune-data.md`, its pictures and `results/finetune-data.json` under `docs`; returns the page.

    Raises InputError where `prepared` holds no report.
    """
    try:
        text = (prepared / "report.json").read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{prepared} holds no report.json: run prepare first.", folder=str(prepared)) from error
    pictures = docs / "images" / NAME
    pictures.mkdir(parents=True, exist_ok=True)
    (docs / "results").mkdir(exist_ok=True)
    (docs / "results" / f"{NAME}.json").write_text(text, encoding="utf-8")
    for picture in sorted((prepared / "plots").glob("*.png")):
        shutil.copyfile(picture, pictures / picture.name)
    page = docs / f"{NAME}.md"
    write_card(json.loads(text), page, pictures=f"images/{NAME}")
    return page
