"""The router: one embedding, one linear head, cheap evidence, one decision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.router.decide import DEFAULT_THRESHOLDS, RouteDecision, Signals, Thresholds, decide
from agent.router.head import RouterHead, load_or_fit
from agent.router.utterances import load_utterances
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
        """Route one message. Blocks for one cached query embedding; call it from a worker thread."""
        probabilities = self.head.probabilities(self.embedder, text)
        signals = Signals(attached_document, looks_like_transaction(text).score)
        return decide(probabilities, signals, self.thresholds)
