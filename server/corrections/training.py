"""Corrections as chat rows for the fine-tuning sidecar: is the value that was read right, and which one is?

The sidecar learns labels. So a correction makes two rows, the wrong value answered WRONG and the right one RIGHT; a
value that a person confirmed makes one. Behind the label stands the right value, for trainers of whole answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Any, Final

from server.corrections.rows import CorrectionRow
from tools.untrusted import inert

PROMPT: Final = "check.v1"
RIGHT, WRONG = "RIGHT", "WRONG"


def training_rows(corrections: Iterable[CorrectionRow]) -> Iterator[dict[str, Any]]:
    """Rows `{"messages": [system, user, assistant], "group", "schema", "field", "verbatim"}`.

    `group` names the text: rows of one text belong into one split. The right value of a row that is not `verbatim` does
    not stand in the text.
    """
    system = resources.files("tools.extraction").joinpath(f"prompts/{PROMPT}.md").read_text(encoding="utf-8").strip()
    for correction in corrections:
        read = correction.extracted
        if read is not None and read["value"] != correction.value:
            yield _row(system, correction, read["value"], WRONG)
        yield _row(system, correction, correction.value, RIGHT)


def _row(system: str, correction: CorrectionRow, value: Any, label: str) -> dict[str, Any]:
    schema, field = inert(correction.schema_name), inert(correction.field)
    asked = f"Schema: {schema}\nField: {field}\nValue: {_json(value)}\n\nText:\n{inert(correction.passage)}"
    said = {"system": system, "user": asked, "assistant": f"{label}\n{_json({field: correction.value})}"}
    return {
        "messages": [{"role": role, "content": content} for role, content in said.items()],
        "group": correction.text_sha256[:16],
        "schema": correction.schema_name,
        "field": correction.field,
        "verbatim": correction.verbatim,
    }


def _json(value: Any) -> str:
    return inert(json.dumps(value, ensure_ascii=False))
