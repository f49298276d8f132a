"""Answers that were given before: exact, per owner, and only as long as everything they depend on stays the same.

In memory: a restart may bring other code, weights or model files, which no key could name as surely as an empty cache.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from pydantic import TypeAdapter

from agent.findings import Finding
from tools.knowledge.unicode import repair
from tools.ports import Message, Usage

_MAX_ENTRIES = 1000
_MAX_BYTES = 8 * 2**20
_FINDING = TypeAdapter(Finding)


@dataclass(frozen=True)
class AnswerKey:
    """Everything that an answer depends on; keys that differ in anything never share an answer.

    `judges` names the weights of gate, ranking and reader; `conversation` is what the model is shown of earlier turns.
    `temperature` and `max_tokens` are the caller's, None for those of the `model`.
    """

    owner: str
    collection: str
    corpus_version: str
    question: str
    document_ids: Sequence[str]
    model: str
    prompt: str
    judges: str
    temperature: float | None = None
    max_tokens: int | None = None
    conversation: Sequence[Message] = ()

    def digest(self) -> bytes:
        """SHA-256 of the key; spaces, invisible characters and the order of documents make no difference."""
        normal = {"question": " ".join(repair(self.question).split()), "document_ids": sorted(set(self.document_ids))}
        return hashlib.sha256(json.dumps(asdict(self) | normal, sort_keys=True).encode()).digest()


class AnswerCache:
    """The findings of this process, bounded; what was not asked for longest goes first. For one event loop."""

    def __init__(self, *, max_entries: int = _MAX_ENTRIES, max_bytes: int = _MAX_BYTES) -> None:
        """Keep at most `max_entries` findings of `max_bytes` together."""
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0
        # Encoded: their size is known, and no caller can change what the next one gets.
        self._found: OrderedDict[bytes, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._found)

    @property
    def size_bytes(self) -> int:
        """Bytes of all findings together."""
        return self._bytes

    def find(self, key: AnswerKey) -> Finding | None:
        """What was found before, with when that was; repeating it costs no tokens."""
        digest = key.digest()
        if (encoded := self._found.get(digest)) is None:
            return None
        self._found.move_to_end(digest)
        return replace(_FINDING.validate_json(encoded), usage=Usage())

    def store(self, key: AnswerKey, finding: Finding) -> None:
        """Keep a finding, unless it lacked the key's model or is larger than the whole cache may be."""
        if finding.degraded or finding.stand_in:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        encoded = _FINDING.dump_json(replace(finding, answered_at=now))
        if len(encoded) > self._max_bytes:
            return
        digest = key.digest()
        self._bytes += len(encoded) - len(self._found.pop(digest, b""))
        self._found[digest] = encoded
        while len(self._found) > self._max_entries or self._bytes > self._max_bytes:
            _, dropped = self._found.popitem(last=False)
            self._bytes -= len(dropped)
