"""Typed, grounded extraction: documents into records in which every value is located in the text."""

from tools.extraction.choose import choose_schema
from tools.extraction.extract import extract
from tools.extraction.results import Evidence, ExtractedValue, ExtractionResult
from tools.extraction.schemas import ExtractionSchema, resolve_schema

__all__ = [
    "Evidence",
    "ExtractedValue",
    "ExtractionResult",
    "ExtractionSchema",
    "choose_schema",
    "extract",
    "resolve_schema",
]
