"""Structured extraction: a pasted or attached document into a schema, every value with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from langgraph.runtime import Runtime

from agent.models.role_model import RoleModel
from agent.nodes.events import emit, finish_turn
from agent.results import Evidence, ExtractedField, ExtractionResult
from agent.services import Services
from agent.state import GraphState, RoutedTurn, TurnContext
from tools.errors import NotFoundError
from tools.extraction import results as extraction
from tools.extraction.choose import document_of, pasted_schema, schema_of_message
from tools.extraction.extract import extract
from tools.extraction.records import BUILT_IN
from tools.extraction.schemas import resolve_schema
from tools.knowledge.documents import PAGE_BREAK
from tools.ports import Usage


@dataclass(frozen=True)
class ExtractNode:
    """Reads a document into the schema that the user pastes, names, or that the text calls for."""

    services: Services

    async def run(self, state: RoutedTurn, runtime: Runtime[TurnContext]) -> GraphState:
        """Answer with an extraction, or ask which schema is meant."""
        context = runtime.context or TurnContext()
        request = state["query"]
        document_id = next(iter(context.document_ids), None)
        attached = None if document_id is None else await self._document(context.owner, document_id)
        own = await self.services.compute(lambda: pasted_schema(request))
        text = attached if attached is not None else own.rest if own else document_of(request)
        wanted = own.schema if own else await self.services.compute(lambda: schema_of_message(request, attached))
        if wanted is None:
            return _ask_schema(state)
        schema = await self.services.compute(lambda: resolve_schema(wanted))
        emit("status", {"text": f"Reading the {_kind(schema.name)}"})
        models = self.services.models.chain("extract")
        found = await extract(text, schema, models)
        result = extraction_result(found, text, document_id)
        if len(context.document_ids) > 1:
            result.warnings.append(f"Only the first of {len(context.document_ids)} attached documents was read.")
        answer = _summary(schema.name, found)
        emit("token", {"text": answer})
        return finish_turn(
            state,
            versions=_versions(found, models.named(found.model)),
            usage=found.usage,
            route="extraction",
            answer=answer,
            abstained=False,
            extraction=result,
            degraded=found.degraded,
        )

    async def _document(self, owner: str, document_id: str) -> str:
        text = await self.services.documents.text(owner, document_id)
        if text is None:
            raise NotFoundError(f"There is no document {document_id!r}.", document_id=document_id)
        return text


def extraction_result(
    found: extraction.ExtractionResult, text: str, document_id: str | None = None
) -> ExtractionResult:
    """A tool's extraction as the API's model, with the page of each piece of evidence."""
    return ExtractionResult(
        schema=found.schema_name,
        data=found.data,
        fields=_fields(found.fields, text),
        warnings=list(found.warnings),
        model=found.model,
        document_id=document_id,
        source_text=text,
    )


def _versions(found: extraction.ExtractionResult, model: RoleModel | None) -> dict[str, str]:
    served = {"extract_model": found.model} if model is None else model.versions("extract")
    asked = {} if found.prompt is None else {"extract_prompt": found.prompt}
    return {**served, **asked, "schema": found.schema_name}


def _fields(values: Mapping[str, extraction.ExtractedValue], text: str) -> dict[str, ExtractedField]:
    return {
        path: ExtractedField(
            value=value.value,
            evidence=None if value.evidence is None else place_in(text, value.evidence),
            confidence=value.confidence,
            reason=value.reason,
        )
        for path, value in values.items()
    }


def place_in(text: str, evidence: extraction.Evidence) -> Evidence:
    """A tool's evidence as the API's model, with its page where `text` has pages."""
    page = text.count(PAGE_BREAK, 0, evidence.start) + 1 if PAGE_BREAK in text else None
    return Evidence(start=evidence.start, end=evidence.end, quote=evidence.quote, page=page)


def _summary(schema: str, found: extraction.ExtractionResult) -> str:
    filled = sum(value.value is not None for value in found.fields.values())
    kind = _kind(schema)
    if not filled:
        return f"I read the text as {_article(kind)} {kind} but found none of its fields."
    missing = len(found.fields) - filled
    rest = f" {missing} could not be found and {'stays' if missing == 1 else 'stay'} empty." if missing else ""
    return (
        f"I read the text as {_article(kind)} {kind} and found {filled} values, each with its place in the text.{rest}"
    )


def _kind(schema: str) -> str:
    return schema.replace("_", " ") if schema in BUILT_IN else "document of your schema"


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def _ask_schema(state: RoutedTurn) -> GraphState:
    names = [name.replace("_", " ") for name in BUILT_IN]
    answer = f"Which kind of document is this: {', '.join(names[:-1])} or {names[-1]}? Say it with the document."
    emit("token", {"text": answer})
    return finish_turn(
        state,
        versions={},
        usage=Usage(),
        route="extraction",
        answer=answer,
        abstained=False,
        reason="schema_unclear",
        suggestions=[f"Extract the {name}" for name in names],
    )
