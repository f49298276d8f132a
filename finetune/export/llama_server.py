"""llama.cpp's server with a base and an adapter, as the graph runs it: for parity checks and latency."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import xllamacpp

from tools.fraud.label import TOP_LOGPROBS, read_labels
from tools.fraud.prompt import LabelPrompt
from tools.ports import TokenLogprobs

_CONTEXT_PER_SLOT = 1024
_SLOTS = 2
_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class ServedScore:
    """Log-probability of each label word, in order, and those that were not among the listed tokens."""

    logprobs: list[float]
    floored: frozenset[str]


class LlamaServer:
    """A server of its own for one adapter: prompt caches leak between adapters that share one."""

    def __init__(self, base: Path, adapter: Path | None = None, threads: int = 1) -> None:
        params = xllamacpp.CommonParams()
        params.model.path = str(base)
        params.n_ctx = _CONTEXT_PER_SLOT * _SLOTS
        params.n_parallel = _SLOTS
        params.cpuparams.n_threads = threads
        params.cpuparams_batch.n_threads = threads
        params.port = 0
        params.cache_ram_mib = 0
        params.ui = False
        params.endpoint_metrics = True  # what the end asks for
        params.offline = True
        params.verbosity = -1
        if adapter is not None:
            params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
        self._server: Any = xllamacpp.Server(params)
        self._client = httpx.Client(base_url=self._server.listening_address, timeout=_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        # As `agent.models.embedded` does: freed before its loop has begun, a server never ends.
        self._server.handle_metrics()
        self._server = None

    def tokenize(self, rendered: str) -> list[int]:
        """Token ids of a rendered prompt."""
        answer = self._post("/tokenize", {"content": rendered, "add_special": False, "parse_special": True})
        return answer["tokens"]

    def render(self, prompt: LabelPrompt, text: str) -> str:
        """The prompt as the server's own chat template renders it."""
        return self._post("/apply-template", {"messages": _messages(prompt, text)})["prompt"]

    def score(self, prompt: LabelPrompt, texts: Sequence[str]) -> list[ServedScore]:
        """Label log-probabilities for each text, asked for as the graph does."""
        with ThreadPoolExecutor(_SLOTS) as pool:
            return list(pool.map(lambda text: self._score(prompt, text), texts))

    def _score(self, prompt: LabelPrompt, text: str) -> ServedScore:
        request = {
            "messages": _messages(prompt, text),
            "max_tokens": 1,
            "temperature": 0.0,
            "logprobs": True,
            "top_logprobs": TOP_LOGPROBS,
            "grammar": prompt.grammar,
        }
        (token,) = self._post("/v1/chat/completions", request)["choices"][0]["logprobs"]["content"]
        top = {entry["token"]: entry["logprob"] for entry in token["top_logprobs"]}
        found, floored = read_labels(TokenLogprobs(token["token"], token["logprob"], top), prompt.labels)
        return ServedScore([found[label] for label in prompt.labels], floored)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        response = self._client.post(path, json=body)
        response.raise_for_status()
        return response.json()


def _messages(prompt: LabelPrompt, text: str) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in prompt.messages(text)]
