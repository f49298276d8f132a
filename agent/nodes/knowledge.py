"""Questions over documents: retrieve, decide whether the passages answer, and answer with citations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

from langgraph.runtime import Runtime

from agent.answer_cache import AnswerKey
from agent.findings import Finding
from agent.guards.errors import Reason
from agent.memory import recent_turns
from agent.models.role_model import RoleModel
from agent.nodes.answering import Answer, Answerer, Question
from agent.nodes.events import emit, finish_turn
from agent.services import Services
from agent.spans import traced_gate, traced_retrieval
from agent.state import GraphState, RoutedTurn, TurnContext
from tools.knowledge.answerable import Verdict
from tools.knowledge.documents import Passage
from tools.knowledge.evidence import GATE_DEPTH, Evidence
from tools.knowledge.orders import without_orders
from tools.knowledge.parents import within_budget
from tools.knowledge.rerank import RERANK_DEPTH, rerank
from tools.knowledge.store import Where

_READ_PASSAGES = 5
# Below this share of the threshold the documents are about something else altogether.
_OFF_TOPIC_SHARE = 0.5


@dataclass(frozen=True)
class KnowledgeNode:
    """Answers from the caller's documents, or hands over to `unknown` with the reason."""

    services: Services

    async def run(self, state: RoutedTurn, runtime: Runtime[TurnContext]) -> GraphState:
        """Answer `query`, or set `refusal`."""
        context = runtime.context or TurnContext()
        chain = self.services.models.chain("answer")
        models = [(model, await self._question(model, state, context)) for model in chain.models]
        key = self._key(*models[0], context, await self._judge_versions())
        cache = self.services.answers
        if cache is not None and (found := cache.find(key)) is not None:
            return _repeat(state, found)
        finding, corpus_version = await self._find_out(models, context)
        if cache is not None and finding.reason not in get_args(Reason):
            # Under the version that was searched, which is not the one above where the documents changed meanwhile.
            cache.store(replace(key, corpus_version=corpus_version), finding)
        return _finish(state, finding)

    async def _question(self, model: RoleModel, state: RoutedTurn, context: TurnContext) -> Question:
        prompt = await self.services.prompts.get("quote" if model.quotes else "prose")
        # A model that quotes sees nothing but the sentences.
        conversation = [] if model.quotes else recent_turns(state["messages"])
        return Question(state["query"], prompt, conversation, context.temperature, context.max_tokens)

    async def _judge_versions(self) -> Sequence[str]:
        """What written answers depend on beside their model."""
        chain = self.services.models.judge
        return [] if chain is None else [chain.first.identity, (await self.services.prompts.get("judge")).id]

    def _key(self, model: RoleModel, question: Question, context: TurnContext, judge: Sequence[str]) -> AnswerKey:
        services = self.services
        return AnswerKey(
            owner=context.owner,
            collection=context.collection,
            corpus_version=services.index.version(context.index_collection),
            question=question.text,
            document_ids=context.document_ids,
            model=model.identity,
            prompt=question.prompt.id,
            judges=" ".join([_judges(services), *judge]),
            temperature=question.temperature,
            max_tokens=question.max_tokens,
            conversation=question.conversation,
        )

    async def _find_out(
        self, models: Sequence[tuple[RoleModel, Question]], context: TurnContext
    ) -> tuple[Finding, str]:
        """Search, judge and answer; with the version of the documents that were searched."""
        where = Where(document_ids=context.document_ids)
        text = models[0][1].text
        depth = GATE_DEPTH if self.services.cross_encoder is None else RERANK_DEPTH
        search = self.services.index.search_counted(
            context.index_collection, text, top_k=depth, where=where, drop=lambda one: not without_orders(text, [one])
        )
        retrieval = await traced_retrieval(text, search)
        found, size, gate = retrieval.passages, retrieval.corpus_size, self.services.gate
        passages = await self.services.compute(lambda: without_orders(text, found))
        evidence = traced_gate(text, lambda: gate.assess(text, passages, corpus_size=size))
        explanation: dict[str, Any] = {
            "evidence": _explain(evidence),
            "passages": [_brief(passage) for passage in passages],
            "corpus_version": retrieval.corpus_version,
        }
        if not evidence.answerable:
            return _refuse(_refusal_reason(evidence, size), passages, explanation), retrieval.corpus_version
        if (scorer := self.services.cross_encoder) is not None:
            ranked = passages
            passages = await self.services.compute(lambda: rerank(scorer, text, ranked))
            explanation |= {"passages": [_brief(passage) for passage in passages], "reranker": scorer.version}
        read = await self._with_parents(text, passages[:_READ_PASSAGES], context)
        emit("status", {"text": f"Reading {len(read)} passages"})
        answer = await Answerer(self.services).answer(models, read)
        finding = _judged(answer, passages, explanation)
        unjudged = answer.judged is not None and answer.judged.failed > 0
        stand_in = unjudged or (answer.model is not None and answer.model is not models[0][0])
        return replace(finding, stand_in=stand_in), retrieval.corpus_version

    async def _with_parents(
        self, question: str, passages: Sequence[Passage], context: TurnContext
    ) -> Sequence[Passage]:
        """The passages, then what stands beside them, as far as the setting allows."""
        if not (tokens := self.services.parent_tokens):
            return passages
        beside = await self.services.index.neighbours(context.index_collection, passages)
        count = self.services.embedder.count_tokens
        return [
            *passages,
            *await self.services.compute(lambda: within_budget(without_orders(question, beside), tokens, count)),
        ]


def _judges(services: Services) -> str:
    """Names the weights of all that chooses passages and sentences and judges them."""
    judges = services.gate, services.ranker, services.reader, services.cross_encoder
    return " ".join(judge.version for judge in judges if judge is not None)


def _judged(answer: Answer, passages: Sequence[Passage], explanation: dict[str, Any]) -> Finding:
    """An answer as a finding; one without text is a refusal."""
    if answer.verdict is not None:
        explanation["reader"] = _explain(answer.verdict)
    if answer.judged is not None:
        explanation["judge"] = answer.judged.explanation()
    if answer.text:
        finding = Finding(explanation, answer.text, answer.citations, conflicting=answer.conflicting)
    else:
        near_miss = answer.verdict is not None and not answer.verdict.answers
        reason = answer.withheld or ("not_in_documents" if near_miss else "not_supported")
        finding = _refuse(reason, passages, explanation)
    used: dict[str, str] = {}
    if answer.model is not None and answer.prompt is not None:
        used = {**answer.model.versions("answer"), "answer_prompt": answer.prompt}
    if answer.judged is not None:
        used |= {"judge_model": answer.judged.model, "judge_prompt": answer.judged.prompt}
    return replace(finding, versions=used, usage=answer.usage, degraded=answer.degraded)


def _finish(state: RoutedTurn, finding: Finding) -> GraphState:
    """End the turn with an answer, or hand a refusal over."""
    cached = finding.answered_at is not None
    if finding.reason is not None:
        return {"refusal": _refusal(finding) | {"cached": cached}}
    return finish_turn(
        state,
        versions=finding.versions,
        usage=finding.usage,
        route="knowledge",
        answer=finding.answer,
        abstained=False,
        reason="conflicting" if finding.conflicting else None,
        citations=list(finding.citations),
        degraded=finding.degraded,
        cached=cached,
        explanation=finding.explanation,
    )


def _refusal(finding: Finding) -> dict[str, Any]:
    return {
        "reason": finding.reason,
        "suggestions": list(finding.suggestions),
        "explanation": finding.explanation,
        "versions": dict(finding.versions),
        "usage": asdict(finding.usage),
    }


def _repeat(state: RoutedTurn, found: Finding) -> GraphState:
    """End the turn with what was found before, and say so."""
    if found.answer:
        emit("token", {"text": found.answer})
    said = f"the same question over the same documents was answered at {found.answered_at}; no model was used"
    return _finish(state, replace(found, explanation={**found.explanation, "cache": said}))


def _refusal_reason(evidence: Evidence, corpus_size: int) -> str:
    if corpus_size == 0:
        return "no_documents"
    return "off_topic" if evidence.probability < _OFF_TOPIC_SHARE * evidence.threshold else "not_in_documents"


def _refuse(reason: str, passages: Sequence[Passage], explanation: dict[str, Any]) -> Finding:
    titles = list(dict.fromkeys(passage.title for passage in passages))[:2] if reason != "off_topic" else []
    return Finding(explanation, reason=reason, suggestions=[f"What does the {title} say?" for title in titles])


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
