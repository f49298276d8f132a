"""Questions over documents: retrieve, decide whether the passages answer, and answer with citations."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import quoteattr

from langgraph.runtime import Runtime

from agent.memory import recent_turns
from agent.models.gateway import RoleModel
from agent.nodes.events import emit, finish_turn
from agent.prompts import Prompt
from agent.results import Citation
from agent.services import Services
from agent.spans import traced_gate, traced_retrieval
from agent.state import GraphState, RoutedTurn, TurnContext
from tools.errors import ModelUnavailableError
from tools.knowledge.answerable import Verdict
from tools.knowledge.documents import Passage
from tools.knowledge.evidence import GATE_DEPTH, Evidence
from tools.knowledge.quotes import chosen_candidates, quote_grammar
from tools.knowledge.rank import Candidate
from tools.knowledge.store import Where
from tools.knowledge.support import supported_sentences
from tools.ports import ChatRequest, Completion, Message, Usage

_READ_PASSAGES = 5
_CANDIDATES = 5
_NO_ANSWER = "NOANSWER"
# Below this share of the threshold the documents are about something else altogether.
_OFF_TOPIC_SHARE = 0.5
_DEGRADED = "The language model does not answer at the moment; these are the closest sentences in the documents. "


@dataclass(frozen=True)
class Answer:
    """A grounded answer; an empty `text` means that nothing was supported."""

    text: str
    citations: list[Citation]
    usage: Usage
    prompt: str
    degraded: bool = False
    verdict: Verdict | None = None


@dataclass(frozen=True)
class KnowledgeNode:
    """Answers from the caller's documents, or hands over to `unknown` with the reason."""

    services: Services

    async def run(self, state: RoutedTurn, runtime: Runtime[TurnContext]) -> GraphState:
        """Answer `query`, or set `refusal`."""
        context = runtime.context or TurnContext()
        where = Where(document_ids=context.document_ids)
        index, query = self.services.index, state["query"]
        search = index.search_counted(context.index_collection, query, top_k=GATE_DEPTH, where=where)
        passages, corpus_size = await traced_retrieval(query, search)
        gate = self.services.gate
        evidence = traced_gate(query, lambda: gate.assess(query, passages, corpus_size=corpus_size))
        explanation = {"evidence": _explain(evidence), "passages": [_brief(passage) for passage in passages]}
        if not evidence.answerable:
            return _refuse(_refusal_reason(evidence, corpus_size), passages, explanation)
        emit("status", {"text": f"Reading {min(len(passages), _READ_PASSAGES)} passages"})
        answer = await self._answer(state, context, passages[:_READ_PASSAGES])
        if answer.verdict is not None:
            explanation["reader"] = _explain(answer.verdict)
        if not answer.text:
            near_miss = answer.verdict is not None and not answer.verdict.answers
            return _refuse("not_in_documents" if near_miss else "not_supported", passages, explanation)
        model = self.services.models.role("answer")
        return finish_turn(
            state,
            versions={"answer_model": model.name, "answer_prompt": answer.prompt},
            usage=answer.usage,
            route="knowledge",
            answer=answer.text,
            abstained=False,
            citations=answer.citations,
            degraded=answer.degraded,
            explanation=explanation,
        )

    async def _answer(self, state: RoutedTurn, context: TurnContext, passages: Sequence[Passage]) -> Answer:
        model = self.services.models.role("answer")
        if not model.quotes:
            try:
                return await self._write(model, state, context, passages)
            except ModelUnavailableError:
                return await self._quote(None, state, passages)
        try:
            return await self._quote(model, state, passages)
        except ModelUnavailableError:
            return await self._quote(None, state, passages)

    async def _quote(self, model: RoleModel | None, state: RoutedTurn, passages: Sequence[Passage]) -> Answer:
        """Let the model choose among the best sentences; without a model, the ranking chooses and says so."""
        query, prompt = state["query"], await self.services.prompts.get("quote")
        candidates, verdict = await self.services.compute(lambda: self._read(query, passages))
        if not candidates or not verdict.answers:
            return Answer("", [], Usage(), prompt.id, verdict=verdict if candidates else None)
        if model is None:
            emit("token", {"text": (text := _DEGRADED + candidates[0].cited)})
            return Answer(text, _quote_citations(candidates[:1]), Usage(), "none", degraded=True, verdict=verdict)
        request = ChatRequest(_quote_messages(prompt, query, candidates), grammar=quote_grammar(candidates))
        completion = await _stream(model, request)
        chosen = chosen_candidates(completion.text, candidates) or candidates[:1]
        numbered = _renumber(chosen)
        text = " ".join(candidate.cited for candidate in numbered)
        return Answer(text, _quote_citations(numbered), completion.usage, prompt.id, verdict=verdict)

    def _read(self, query: str, passages: Sequence[Passage]) -> tuple[list[Candidate], Verdict]:
        """The best sentences, and whether they answer: a model that only quotes cannot tell."""
        candidates = self.services.ranker.rank(query, passages, limit=_CANDIDATES)
        return candidates, self.services.reader.read(query, candidates, passages)

    async def _write(
        self, model: RoleModel, state: RoutedTurn, context: TurnContext, passages: Sequence[Passage]
    ) -> Answer:
        """Let the model write, then keep the sentences that their cited passages support."""
        prompt = await self.services.prompts.get("prose")
        messages = _prose_messages(prompt, state, passages)
        request = ChatRequest(messages, max_tokens=context.max_tokens, temperature=context.temperature)
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
        return Answer(" ".join(sentences), citations, completion.usage, prompt.id)


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


def _quote_messages(prompt: Prompt, query: str, candidates: Sequence[Candidate]) -> list[Message]:
    listed = "\n".join(f"- {candidate.cited}" for candidate in candidates)
    return [
        Message("system", prompt.text),
        Message("user", f"Sentences:\n{listed}\n\nQuestion: {query}"),
    ]


def _prose_messages(prompt: Prompt, state: RoutedTurn, passages: Sequence[Passage]) -> list[Message]:
    blocks = "\n".join(
        f'<passage n="{n}" title={quoteattr(passage.title)}>\n{_inert(passage.text)}\n</passage>'
        for n, passage in enumerate(passages, 1)
    )
    question = Message("user", f"{blocks}\n\nQuestion: {state['query']}")
    return [Message("system", prompt.text), *recent_turns(state["messages"]), question]


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


def _refusal_reason(evidence: Evidence, corpus_size: int) -> str:
    if corpus_size == 0:
        return "no_documents"
    return "off_topic" if evidence.probability < _OFF_TOPIC_SHARE * evidence.threshold else "not_in_documents"


def _refuse(reason: str, passages: Sequence[Passage], explanation: dict[str, Any]) -> GraphState:
    titles = list(dict.fromkeys(passage.title for passage in passages))[:2] if reason != "off_topic" else []
    suggestions = [f"What does the {title} say?" for title in titles]
    return {"refusal": {"reason": reason, "suggestions": suggestions, "explanation": explanation}}


def _explain(evidence: Evidence | Verdict) -> dict[str, Any]:
    return {
        "probability": round(evidence.probability, 4),
        "threshold": evidence.threshold,
        "features": {name: round(value, 4) for name, value in evidence.features.items()},
    }


def _brief(passage: Passage) -> dict[str, Any]:
    scores = {"score": passage.score, "dense": passage.dense, "sparse": passage.sparse}
    rounded = {name: None if value is None else round(value, 4) for name, value in scores.items()}
    return {"chunk_id": passage.chunk_id, "title": passage.title, "page": passage.page, **rounded}
