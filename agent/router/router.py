"""The router: one embedding, one linear head, cheap evidence, one decision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from agent.router.decide import DEFAULT_THRESHOLDS, RouteDecision, Signals, Thresholds, decide
from agent.router.head import RouterHead, load_or_fit
from agent.router.request import request_without_record
from agent.router.utterances import INTENTS, Intent, load_utterances
from tools.fraud.parse import looks_like_transaction
from tools.ports import Embedder

PACKAGED_HEADS = Path(__file__).with_name("heads")


@dataclass(frozen=True)
class Router:
    """Decides which branch a message belongs to."""

    head: RouterHead
    embedder: Embedder
    thresholds: Thresholds = DEFAULT_THRESHOLDS

    @classmethod
    def load(cls, embedder: Embedder, embedder_id: str, cache: Path) -> Router:
        """The router for `agent/routes.yaml`. Fits the head (seconds) if neither the package nor `cache` holds it."""
        head = load_or_fit(load_utterances(), embedder, embedder_id, (PACKAGED_HEADS, cache))
        return cls(head, embedder)

    def route(self, text: str, *, attached_document: bool = False) -> RouteDecision:
        """Route one message. Blocks for a cached query embedding or two; call it from a worker thread."""
        probabilities = self._probabilities(text)
        signals = Signals(attached_document, looks_like_transaction(text).score)
        return decide(probabilities, signals, self.thresholds)

    def _probabilities(self, text: str) -> dict[Intent, float]:
        """The head's reading; with a pasted record, evened out with its reading of the request alone.

        A record says what it is, a transaction mostly, and drowns the few words that say what to do with it.
        """
        whole = self.head.probabilities(self.embedder, text)
        request = request_without_record(text)
        if request is None:
            return whole
        alone = self.head.probabilities(self.embedder, request)
        means: dict[Intent, float] = {intent: math.sqrt(whole[intent] * alone[intent]) for intent in INTENTS}
        total = sum(means.values())
        return {intent: mean / total for intent, mean in means.items()}
