"""Answers from passages: chosen among their sentences, or written by the model and checked against them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import quoteattr

from agent.models.gateway import RoleModel
from agent.nodes.events import emit
from agent.prompts import Prompt
from agent.results import Citation
from agent.services import Services
from tools.errors import ModelUnavailableError
from tools.knowledge.answerable import Verdict
from tools.knowledge.documents import Passage
from tools.knowledge.quotes import chosen_candidates, quote_grammar
from tools.knowledge.rank import Candidate
from tools.knowledge.support import supported_sentences
from tools.ports import ChatRequest, Completion, Message, Usage

_CANDIDATES = 5
_NO_ANSWER = "NOANSWER"
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

    `prompt` is None where no model was asked, `degraded` says that one should have been.
    """

    text: str
    citations: list[Citation]
    usage: Usage = field(default_factory=Usage)
    prompt: str | None = None
    degraded: bool = False
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Answerer:
    """Answers a question from its passages and sends the answer on while it is made."""

    services: Services

    async def answer(self, model: RoleModel, question: Question, passages: Sequence[Passage]) -> Answer:
        """Quote or write, as the model is configured; quote without it where it does not answer."""
        try:
            if model.quotes:
                return await self._quote(model, question, passages)
            return await self._write(model, question, passages)
        except ModelUnavailableError:
            return await self._quote(None, question, passages)

    async def _quote(self, model: RoleModel | None, question: Question, passages: Sequence[Passage]) -> Answer:
        """Let the model choose among the best sentences; without a model, the ranking chooses and says so."""
        degraded = model is None
        candidates, verdict = await self.services.compute(lambda: self._read(question.text, passages))
        if not candidates or not verdict.answers:
            return Answer("", [], degraded=degraded, verdict=verdict if candidates else None)
        if model is None:
            emit("token", {"text": (text := _DEGRADED + candidates[0].cited)})
            return Answer(text, _quote_citations(candidates[:1]), degraded=True, verdict=verdict)
        request = ChatRequest(_quote_messages(question, candidates), grammar=quote_grammar(candidates))
        completion = await _stream(model, request)
        chosen = chosen_candidates(completion.text, candidates) or candidates[:1]
        numbered = _renumber(chosen)
        text = " ".join(candidate.cited for candidate in numbered)
        return Answer(text, _quote_citations(numbered), completion.usage, question.prompt.id, verdict=verdict)

    def _read(self, query: str, passages: Sequence[Passage]) -> tuple[list[Candidate], Verdict]:
        """The best sentences, and whether they answer: a model that only quotes cannot tell."""
        candidates = self.services.ranker.rank(query, passages, limit=_CANDIDATES)
        return candidates, self.services.reader.read(query, candidates, passages)

    async def _write(self, model: RoleModel, question: Question, passages: Sequence[Passage]) -> Answer:
        """Let the model write, then keep the sentences that their cited passages support."""
        messages = _prose_messages(question, passages)
        request = ChatRequest(messages, max_tokens=question.max_tokens, temperature=question.temperature)
        completion = await _stream(model, request)
        bm25 = self.services.bm25
        kept = await self.services.compute(lambda: supported_sentences(completion.text, passages, bm25))
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
        return Answer(" ".join(sentences), citations, completion.usage, question.prompt.id)


async def _stream(model: RoleModel, request: ChatRequest) -> Completion:
    """Run a request, sending tokens on as they come; what may become NOANSWER is held back until it is not."""
    held = ""
    released = False
    async with aclosing(model.stream(request)) as items:
        async for item in items:
            if isinstance(item, Completion):
                if held and not held.strip().startswith(_NO_ANSWER):
                    emit("token", {"text": held})
                return item
            held += item
            if released or not _NO_ANSWER.startswith(held.strip()[: len(_NO_ANSWER)]):
                emit("token", {"text": held})
                held, released = "", True
    raise ModelUnavailableError(f"The model {model.name} ended its answer without finishing it.")


def _quote_messages(question: Question, candidates: Sequence[Candidate]) -> list[Message]:
    listed = "\n".join(f"- {candidate.cited}" for candidate in candidates)
    return [
        Message("system", question.prompt.text),
        Message("user", f"Sentences:\n{listed}\n\nQuestion: {question.text}"),
    ]


def _prose_messages(question: Question, passages: Sequence[Passage]) -> list[Message]:
    blocks = "\n".join(
        f'<passage n="{n}" title={quoteattr(passage.title)}>\n{_inert(passage.text)}\n</passage>'
        for n, passage in enumerate(passages, 1)
    )
    asked = Message("user", f"{blocks}\n\nQuestion: {question.text}")
    return [Message("system", question.prompt.text), *question.conversation, asked]


def _inert(text: str) -> str:
    """A passage's text that cannot close its own quotation."""
    return text.replace("</passage", "< /passage")


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
