"""Answers from passages: chosen among their sentences, or written by the model and checked against them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from agent.conversation import quoted_turns, turn_texts
from agent.guards.active_content import harmless
from agent.guards.errors import Reason, WithheldError
from agent.guards.output import OutputGuard
from agent.models.role_model import RoleModel
from agent.nodes.events import emit
from agent.nodes.judging import Judge, Judged
from agent.prompts import Prompt
from agent.results import Citation
from agent.services import Services
from tools.errors import ModelUnavailableError
from tools.knowledge.answerable import Verdict
from tools.knowledge.disagreement import disagreement
from tools.knowledge.documents import Passage
from tools.knowledge.quotes import chosen_candidates, quote_grammar
from tools.knowledge.rank import Candidate
from tools.knowledge.support import cited_sentences, supported_sentences
from tools.ports import ChatRequest, Completion, Message, Usage
from tools.untrusted import Fence

_log = logging.getLogger(__name__)

_CANDIDATES = 5
_LONGEST_QUESTION = 4000
_NO_ANSWER = "NOANSWER"
_DISAGREE = "The documents say different things. "
_DEGRADED = "The language model does not answer at the moment; these are the closest sentences in the documents. "


@dataclass(frozen=True)
class Question:
    """A stand-alone question, and how it is to be answered: what the model is shown of earlier turns, and the limits.

    Limits that are None are the model's own.
    """

    text: str
    prompt: Prompt
    conversation: Sequence[Message] = ()
    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True)
class Answer:
    """A grounded answer; an empty `text` means that nothing was supported.

    `model` and `prompt` are None where no model was asked, `degraded` says that one should have been; `withheld` why
    what a model wrote is not used; `judged` what a judge made of it, where there is one. A `conflicting` answer quotes
    two documents that say different things.
    """

    text: str
    citations: list[Citation]
    usage: Usage = field(default_factory=Usage)
    model: RoleModel | None = None
    prompt: str | None = None
    degraded: bool = False
    conflicting: bool = False
    verdict: Verdict | None = None
    withheld: Reason | None = None
    judged: Judged | None = None


@dataclass(frozen=True)
class Answerer:
    """Answers a question from its passages and sends the answer on while it is made."""

    services: Services

    async def answer(self, models: Sequence[tuple[RoleModel, Question]], passages: Sequence[Passage]) -> Answer:
        """Quote or write, as the first model that answers is configured; quote without one where none does.

        The question is the same for all `models`, put as each of them reads it.
        """
        for model, question in models:
            try:
                answer = await (self._quote if model.quotes else self._write)(model, question, passages)
            except ModelUnavailableError as error:
                _log.warning("model %s does not answer (%s)", model.name, error.code)
            else:
                return replace(answer, model=model)
        return await self._quote(None, models[0][1], passages)

    async def _quote(self, model: RoleModel | None, question: Question, passages: Sequence[Passage]) -> Answer:
        """Let the model choose among the best sentences; without a model, the ranking chooses and says so."""
        degraded = model is None
        candidates, verdict = await self.services.compute(lambda: self._read(question.text, passages))
        if not candidates or not verdict.answers:
            return Answer("", [], degraded=degraded, verdict=verdict if candidates else None)
        if (pair := disagreement(question.text, candidates)) is not None:
            numbered = _renumber(pair)
            emit("token", {"text": (text := _DISAGREE + " ".join(candidate.cited for candidate in numbered))})
            return Answer(text, _quote_citations(numbered), conflicting=True, verdict=verdict)
        if model is None:
            emit("token", {"text": (text := _DEGRADED + candidates[0].cited)})
            return Answer(text, _quote_citations(candidates[:1]), degraded=True, verdict=verdict)
        request = ChatRequest(_quote_messages(question, candidates), grammar=quote_grammar(candidates))
        completion = await _choose(model, request)
        chosen = chosen_candidates(completion.text, candidates) or candidates[:1]
        numbered = _renumber(chosen)
        text = " ".join(candidate.cited for candidate in numbered)
        if not model.supports_grammar:
            emit("token", {"text": text})
        return Answer(text, _quote_citations(numbered), completion.usage, prompt=question.prompt.id, verdict=verdict)

    def _read(self, query: str, passages: Sequence[Passage]) -> tuple[list[Candidate], Verdict]:
        """The best sentences, and whether they answer: a model that only quotes cannot tell."""
        candidates = self.services.ranker.rank(query, passages, limit=_CANDIDATES)
        verdict = self.services.reader.read(query, candidates, passages)
        return [replace(one, text=harmless(one.text, [one.quote])) for one in candidates], verdict

    async def _write(self, model: RoleModel, question: Question, passages: Sequence[Passage]) -> Answer:
        """Let the model write, then keep the sentences that their cited passages support."""
        messages = _prose_messages(question, passages)
        request = ChatRequest(messages, max_tokens=question.max_tokens, temperature=question.temperature)
        guard = await self.services.compute(lambda: OutputGuard([passage.text for passage in passages]))
        try:
            completion = await _write(model, request, guard)
        except WithheldError as error:
            return Answer("", [], prompt=question.prompt.id, withheld=error.reason)
        judged = await self._judged(completion.text, passages)
        if judged is None:
            bm25, words = self.services.bm25, self.services.embedder.embed_words
            kept = await self.services.compute(lambda: supported_sentences(completion.text, passages, bm25, words))
        else:
            kept = judged.sentences
        numbers: dict[str, int] = {}
        citations: list[Citation] = []
        sentences: list[str] = []
        for sentence in kept:
            for passage, quote in sentence.sources:
                if passage.chunk_id not in numbers:
                    numbers[passage.chunk_id] = len(numbers) + 1
                    citations.append(_citation(numbers[passage.chunk_id], passage, quote))
            marks = "".join(f"[{numbers[passage.chunk_id]}]" for passage, _ in sentence.sources)
            sentences.append(f"{sentence.text} {marks}")
        usage = completion.usage + (Usage() if judged is None else judged.usage)
        return Answer(" ".join(sentences), citations, usage, prompt=question.prompt.id, judged=judged)

    async def _judged(self, text: str, passages: Sequence[Passage]) -> Judged | None:
        """What a judge leaves of a written answer; None where there is none to ask."""
        chain = self.services.models.judge
        if chain is None:
            return None
        judge = Judge(chain, await self.services.prompts.get("judge"), self.services.bm25)
        return await judge.check(cited_sentences(text, passages))


async def _choose(model: RoleModel, request: ChatRequest) -> Completion:
    """Run a request whose grammar admits the offered sentences only, sending tokens on as they come.

    Where no grammar holds, the model may say anything: nothing of it is sent on.
    """
    async with aclosing(model.stream(request)) as items:
        async for item in items:
            if isinstance(item, Completion):
                return item
            if model.supports_grammar:
                emit("token", {"text": item})
    raise ModelUnavailableError(f"The model {model.name} ended its answer without finishing it.")


async def _write(model: RoleModel, request: ChatRequest, guard: OutputGuard) -> Completion:
    """Run a request, sending on what the guard lets out; what may become NOANSWER is held back until it is not.

    The completion's text is what the guard let out.

    Raises:
        WithheldError: the guard stopped the model.
    """
    held = ""
    released = False
    async with aclosing(model.stream(request)) as items:
        async for item in items:
            if isinstance(item, Completion):
                held += guard.finish()
                if held and not held.strip().startswith(_NO_ANSWER):
                    emit("token", {"text": held})
                return replace(item, text=guard.text)
            held += guard.feed(item)
            if held and (released or not _NO_ANSWER.startswith(held.strip()[: len(_NO_ANSWER)])):
                emit("token", {"text": held})
                held, released = "", True
    raise ModelUnavailableError(f"The model {model.name} ended its answer without finishing it.")


def _quote_messages(question: Question, candidates: Sequence[Candidate]) -> list[Message]:
    listed = "\n".join(f"- {candidate.cited}" for candidate in candidates)
    sentences = Fence.around(listed).block("sentences", listed)
    return [
        Message("system", question.prompt.text),
        Message("user", f"{sentences}\n\nQuestion: {question.text[:_LONGEST_QUESTION]}"),
    ]


def _prose_messages(question: Question, passages: Sequence[Passage]) -> list[Message]:
    texts = [f"Title: {' '.join(passage.title.split())}\n{passage.text}" for passage in passages]
    fence = Fence.around(*turn_texts(question.conversation), *texts)
    blocks = [fence.block("passage", text, f'n="{n}"') for n, text in enumerate(texts, 1)]
    said = [f"Earlier turns:\n{quoted_turns(fence, question.conversation)}\n"] if question.conversation else []
    asked = "\n".join([*said, *blocks])
    return [
        Message("system", question.prompt.text),
        Message("user", f"{asked}\n\nQuestion: {question.text[:_LONGEST_QUESTION]}"),
    ]


def _renumber(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Number citations in the order in which the answer uses them."""
    numbers: dict[str, int] = {}
    for candidate in candidates:
        numbers.setdefault(candidate.passage.chunk_id, len(numbers) + 1)
    return [replace(candidate, n=numbers[candidate.passage.chunk_id]) for candidate in candidates]


def _quote_citations(candidates: Sequence[Candidate]) -> list[Citation]:
    first_of = {candidate.n: candidate for candidate in reversed(candidates)}
    return [_citation(n, first_of[n].passage, first_of[n].quote) for n in sorted(first_of)]


def _citation(n: int, passage: Passage, quote: str) -> Citation:
    return Citation(
        n=n,
        document_id=passage.document_id,
        chunk_id=passage.chunk_id,
        title=passage.title,
        page=passage.page,
        quote=quote,
    )
