"""A model that checks whether passages support what another one wrote, where the models file names one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.prompts import Prompt
from tools.errors import SwitchyardError
from tools.knowledge.documents import Passage
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.support import CitedSentence, SupportedSentence, best_quote, holds_numbers, is_supported
from tools.ports import ChatModel, ChatRequest, Message, Usage
from tools.untrusted import Fence

_log = logging.getLogger(__name__)

_AT_A_TIME = 4
_TIMEOUT_S = 20.0
_MAX_TOKENS = 24
_SCHEMA = {
    "type": "object",
    "properties": {"supported": {"type": "boolean"}},
    "required": ["supported"],
    "additionalProperties": False,
}


class _Verdict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    supported: bool


@dataclass(frozen=True)
class Judged:
    """What a judge left of an answer. `failed` checks were decided by the words that sentence and passage share."""

    sentences: list[SupportedSentence]
    model: str
    prompt: str
    checks: int
    refused: int
    failed: int
    usage: Usage

    def explanation(self) -> dict[str, Any]:
        """What the result says of it."""
        counts = {name: asdict(self)[name] for name in ("model", "prompt", "checks", "refused", "failed")}
        return counts | ({"fallback": "lexical"} if self.failed else {})


@dataclass(frozen=True)
class _Check:
    """One sentence against one passage. `failed`: the judge gave no verdict, `supported` comes from the words."""

    supported: bool
    usage: Usage
    failed: bool = False


@dataclass(frozen=True)
class Judge:
    """Checks the sentences of an answer, a few at a time; a check that takes longer than `timeout_s` has failed."""

    model: ChatModel
    prompt: Prompt
    bm25: Bm25Encoder
    timeout_s: float = _TIMEOUT_S

    async def check(self, sentences: Sequence[CitedSentence]) -> Judged:
        """Keep each sentence with those of its cited passages that hold its numbers and, to the judge, support it."""
        pairs = [
            (at, passage)
            for at, sentence in enumerate(sentences)
            for passage in sentence.cited
            if holds_numbers(sentence.text, passage)
        ]
        free = asyncio.Semaphore(_AT_A_TIME)
        checks = await asyncio.gather(*(self._check(sentences[at].text, passage, free) for at, passage in pairs))
        kept: list[SupportedSentence] = []
        for at, sentence in enumerate(sentences):
            sources = [
                (passage, best_quote(sentence.text, passage, self.bm25))
                for (of, passage), check in zip(pairs, checks, strict=True)
                if of == at and check.supported
            ]
            if sources:
                kept.append(SupportedSentence(sentence.text, sources))
        return Judged(
            sentences=kept,
            model=self.model.name,
            prompt=self.prompt.id,
            checks=len(checks),
            refused=sum(not check.supported for check in checks),
            failed=sum(check.failed for check in checks),
            usage=sum((check.usage for check in checks), Usage()),
        )

    async def _check(self, sentence: str, passage: Passage, free: asyncio.Semaphore) -> _Check:
        request = ChatRequest(
            _messages(self.prompt, sentence, passage), max_tokens=_MAX_TOKENS, temperature=0, json_schema=_SCHEMA
        )
        usage = Usage()
        try:
            async with free, asyncio.timeout(self.timeout_s):
                completion = await self.model.complete(request)
            usage = completion.usage
            return _Check(_Verdict.model_validate_json(completion.text).supported, usage)
        except (SwitchyardError, TimeoutError, ValidationError) as error:
            _log.warning("the judge %s gave no verdict (%s)", self.model.name, type(error).__name__)
            return _Check(is_supported(sentence, passage, self.bm25), usage, failed=True)


def _messages(prompt: Prompt, sentence: str, passage: Passage) -> list[Message]:
    source = "\n".join([" > ".join((passage.title, *passage.heading)), passage.context, passage.text])
    fence = Fence.around(source, sentence)
    return [
        Message("system", prompt.text),
        Message(
            "user", f"{fence.block('passage', source)}\n{fence.block('claim', sentence)}\n\nIs the claim supported?"
        ),
    ]
