"""Corrections as tests need them."""

from __future__ import annotations

from typing import Any

from server.corrections.rows import CorrectedField, CorrectionRow, CorrectionSource


def source(key: str = "text:a:b", **about: Any) -> CorrectionSource:
    return CorrectionSource(key, "invoice", "ab" * 32, **about)


def field(name: str = "total", value: Any = 120.5, **about: Any) -> CorrectedField:
    chosen: dict[str, Any] = {
        "evidence": {"start": 7, "end": 13, "quote": "120.50", "page": None},
        "verbatim": True,
        "extracted": {"value": 12.0},
        "passage": "Total: 120.50",
        **about,
    }
    return CorrectedField(name, value, **chosen)


def row(number: int = 0, **about: Any) -> CorrectionRow:
    """A stored correction of an invoice of its own."""
    chosen: dict[str, Any] = {
        "owner": "local",
        "source": f"text:{number}",
        "field": "total",
        "run_id": None,
        "document_id": None,
        "schema_name": "invoice",
        "text_sha256": f"{number:016x}{0:048x}",
        "passage": f"Invoice INV-{number}\nSubtotal: {number + 1}.00\nTotal: {number + 10}.00 EUR",
        "value": number + 10.0,
        "evidence": None,
        "verbatim": True,
        "extracted": {"value": number + 1.0},
        "created_at": 1.0,
        **about,
    }
    return CorrectionRow(**chosen)
