"""Scopes: what a caller may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Scope = Literal["chat", "documents", "review", "admin"]

SCOPES: Mapping[Scope, str] = {
    "chat": "ask, extract, score, search and read the documents that answers come from",
    "documents": "add, list, read and delete documents",
    "review": "see and decide the cases that wait for a person",
    "admin": "read what concerns all owners: metrics and the audit log",
}
"""All scopes and what each allows. None includes another."""
