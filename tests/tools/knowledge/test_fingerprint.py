from __future__ import annotations

from dataclasses import replace

from agent.models.reader import packaged_span_reader
from tools.knowledge.answerable import AnswerReader
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.evidence import EvidenceGate
from tools.knowledge.fingerprint import fingerprint
from tools.knowledge.rank import RankWeights, SentenceRanker
from tools.knowledge.sparse import Bm25Encoder


def test_the_order_of_names_makes_no_difference_and_every_value_does() -> None:
    assert fingerprint({"a": 1.0, "b": 2.0}, 0.5) == fingerprint({"b": 2.0, "a": 1.0}, 0.5)
    different = [fingerprint({"a": 1.0}, 0.5), fingerprint({"a": 1.0}, 0.6), fingerprint({"a": 1.1}, 0.5)]
    assert len(set(different)) == 3


def test_weights_and_thresholds_name_the_judges(embedder: MiniLMEmbedder) -> None:
    gate, spans = EvidenceGate.load(), packaged_span_reader()
    reader = AnswerReader.load(embedder.embed_words, spans)
    assert gate.version == EvidenceGate.load().version != replace(gate, threshold=gate.threshold + 0.01).version
    assert reader.version == AnswerReader.load(embedder.embed_words, spans).version != replace(reader, bias=9.0).version
    changed = {name: replace(weight, weight=weight.weight + 0.1) for name, weight in reader.weights.items()}
    assert reader.version != replace(reader, weights=changed).version
    rankers = [SentenceRanker(embedder, Bm25Encoder(), weights) for weights in (RankWeights(), RankWeights(rank=0.05))]
    assert rankers[0].version == SentenceRanker(embedder, Bm25Encoder()).version != rankers[1].version
