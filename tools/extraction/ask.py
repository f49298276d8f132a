"""Ask the model for the open fields: a narrowed schema, few calls, and what it chose with which probability."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from json import JSONDecodeError
from typing import Any

from tools.extraction.plan import Open
from tools.extraction.readers.source import Source
from tools.extraction.windows import windows
from tools.ports import ChatModel, ChatRequest, Completion, Message, TokenLogprobs, Usage
from tools.untrusted import Fence

# A file of `prompts/`; runs record it.
PROMPT = "extract.v2"
_TOKENS_PER_FIELD = 40
_FREE_TEXT_CHARS = 80
_MAX_FIELDS_A_CALL = 12
_FIELD_LINE_TOKENS = 16
_FRAME_TOKENS = 90


@dataclass(frozen=True)
class Choice:
    """The model's answer for one field: its text or null, and the geometric mean probability of its tokens.

    Not `measured` where the endpoint tells no probabilities: 0.5 then.
    """

    text: str | None
    probability: float
    measured: bool = True


@dataclass(frozen=True)
class Reply:
    """Choices by path; a path that is missing was cut off. `model` is the name of the one that answered last."""

    choices: Mapping[str, Choice]
    usage: Usage
    model: str


@cache
def instructions() -> str:
    """The system prompt."""
    return resources.files("tools.extraction").joinpath(f"prompts/{PROMPT}.md").read_text(encoding="utf-8").strip()


def option_text(source: Source, field: Open, index: int) -> str:
    """An option as the model sees it: the document's own words on one line."""
    candidate = field.options[index].candidate
    return " ".join(source.text[candidate.start : candidate.end].split())


def narrowed_schema(source: Source, fields: Mapping[str, Open]) -> dict[str, Any]:
    """The JSON Schema of the reply: each field one of its options verbatim, or short free text, or null."""
    properties: dict[str, Any] = {}
    for path, field in fields.items():
        options = list(dict.fromkeys(option_text(source, field, index) for index in range(len(field.options))))
        free = {"anyOf": [{"type": "string", "maxLength": _FREE_TEXT_CHARS}, {"type": "null"}]}
        properties[path] = {"enum": [*options, None]} if options else free
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


async def ask(source: Source, fields: Mapping[str, Open], model: ChatModel, max_prompt_tokens: int) -> Reply:
    """Ask for the fields in batches.

    Raises:
        ModelUnavailableError: no endpoint answered.
        InputError: the endpoint refused the request.
    """
    choices: dict[str, Choice] = {}
    usage = Usage()
    answered_by = model.name
    paths = list(fields)
    for start in range(0, len(paths), _MAX_FIELDS_A_CALL):
        batch = {path: fields[path] for path in paths[start : start + _MAX_FIELDS_A_CALL]}
        completion = await model.complete(request(source, batch, max_prompt_tokens))
        choices |= read_reply(completion, list(batch))
        usage += completion.usage
        answered_by = completion.model
    return Reply(choices, usage, answered_by)


def request(source: Source, fields: Mapping[str, Open], max_prompt_tokens: int) -> ChatRequest:
    """What the model is asked for one batch of fields; an adapter learns from requests of this very form."""
    listed = [_listed(path, field) for path, field in fields.items()]
    room = max_prompt_tokens - _FRAME_TOKENS - _FIELD_LINE_TOKENS * len(listed)
    text = windows(source, list(fields.values()), max(100, room))
    document = Fence.around(text).block("document", text)
    user = f"{document}\n\nFields:\n" + "\n".join(listed) + "\n\nAnswer with one JSON object."
    return ChatRequest(
        messages=(Message("system", instructions()), Message("user", user)),
        max_tokens=20 + _TOKENS_PER_FIELD * len(fields), temperature=0.0,
        json_schema=narrowed_schema(source, fields), top_logprobs=1,
    )  # fmt: skip


def _listed(path: str, field: Open) -> str:
    """A field on one line, whatever the caller's schema says."""
    return " ".join(f"- {path}: {field.leaf.description or path.replace('_', ' ')}".split())[:90]


def read_reply(completion: Completion, paths: Sequence[str]) -> dict[str, Choice]:
    """The members of the reply's JSON object that are complete, also where the reply was cut off."""
    text = completion.text
    found: dict[str, Choice] = {}
    decoder = json.JSONDecoder()
    position = 0
    for path in paths:
        key = re.compile(re.escape(json.dumps(path)) + r"\s*:\s*").search(text, position)
        if key is None:
            continue
        try:
            value, end = decoder.raw_decode(text, key.end())
        except JSONDecodeError:
            break
        position = end
        probability = _probability(completion.logprobs, key.end(), end)
        found[path] = Choice(value if isinstance(value, str) else None, probability, bool(completion.logprobs))
    return found


def _probability(tokens: Sequence[TokenLogprobs], start: int, end: int) -> float:
    """Geometric mean probability of the tokens that overlap `text[start:end]`; 0.5 where the endpoint gives none."""
    offset = 0
    inside: list[float] = []
    for token in tokens:
        if offset < end and offset + len(token.token) > start:
            inside.append(token.logprob)
        offset += len(token.token)
    return math.exp(sum(inside) / len(inside)) if inside else 0.5
