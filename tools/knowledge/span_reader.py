"""The span reader: a trained model that looks for the answer in a passage, and says how sure it is that one is there.

The embedding model with a head for the first and the last token of an answer; that there is none is an answer at the
first token of all (Devlin et al. 2019, "BERT", section 4.3). `python -m finetune reader` trains it and writes
`packaged_reader/`: the layers as 8-bit ONNX, to which the base's word vectors are given.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from tokenizers import Tokenizer

from tools.files import file_sha256
from tools.knowledge.reader_input import ReaderInput, reader_inputs
from tools.ports import Vector

PACKAGED_READER = Path(__file__).with_name("packaged_reader")
MODEL_FILE = "reader.onnx"
MANIFEST_FILE = "manifest.json"
_WORD_VECTORS = "embeddings.word_embeddings.weight"
_LONGEST_ANSWER = 30
# Questions with passages; a span takes 100 bytes, the texts are shared.
_REMEMBERED = 4096


@dataclass(frozen=True)
class FoundSpan:
    """The best span of a passage, in characters; `margin` is how far its log-odds are above those of no answer."""

    margin: float
    start: int
    end: int


class SpanReader:
    """Reads one passage after the other on one thread: about 0.1 ms a token."""

    def __init__(self, folder: Path, base: Path, tokenizer: Tokenizer) -> None:
        """Read with the model in `folder`, the word vectors in `base` (a safetensors file) and the base's tokenizer.

        The first passage loads it, unless `load` is called before.
        """
        self._model_file = folder / MODEL_FILE
        self._base = base
        self._tokenizer = tokenizer
        self._loading = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None
        self._remembered = lru_cache(_REMEMBERED)(self._find)

    @cached_property
    def version(self) -> str:
        """Names the weights."""
        return file_sha256(self._model_file)[:12]

    @cached_property
    def held_out(self) -> frozenset[str]:
        """The documents of the data it was trained on that it has not seen, by title."""
        manifest = json.loads(self._model_file.with_name(MANIFEST_FILE).read_text(encoding="utf-8"))
        return frozenset(manifest["held_out"])

    def load(self) -> None:
        """Load the model; blocks for a tenth of a second."""
        self._model()

    def read(self, question: str, passage: str) -> FoundSpan | None:
        """The span of `passage` that answers best; None where the passage holds no token. Blocks.

        The last 4,096 are remembered.
        """
        return self._remembered(question, passage)

    def _find(self, question: str, passage: str) -> FoundSpan | None:
        found = [self._read(one) for one in reader_inputs(self._tokenizer, question, passage) if one.offsets]
        return max(found, key=lambda one: one.margin, default=None)

    def _read(self, given: ReaderInput) -> FoundSpan:
        session, word_vectors = self._model()
        words = np.concatenate([word_vectors[token : token + 1] for token in given.tokens])[None]
        [scores] = session.run(None, {"words": words, "parts": np.array([given.parts], dtype=np.int64)})
        return best_span(scores, given)

    def _model(self) -> tuple[Any, Any]:
        with self._loading:
            if self._loaded is None:
                self._loaded = _open(self._model_file), _word_vectors(self._base)
        return self._loaded


def reader_tokenizer(path: Path) -> Tokenizer:
    """The base's tokenizer as the reader wants it: whole texts, no padding."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def best_span(scores: Vector, given: ReaderInput) -> FoundSpan:
    """The span with the highest sum of scores for its first and last token; `scores` is (tokens, 2)."""
    starts, ends = scores[given.first : given.end].T
    sums = starts[:, None] + ends[None, :]
    length = np.arange(len(starts))[None, :] - np.arange(len(starts))[:, None]
    sums[(length < 0) | (length >= _LONGEST_ANSWER)] = -np.inf
    first, last = divmod(int(sums.argmax()), len(starts))
    margin = float(sums[first, last] - scores[0].sum())
    return FoundSpan(margin, given.offsets[first][0], given.offsets[last][1])


def _open(path: Path) -> Any:
    onnxruntime: Any = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    # The language model has the other cores.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Kept for the longest passage ever read otherwise.
    options.enable_cpu_mem_arena = False
    # The weights again in another order: 9 MB, and no faster for one passage at a time.
    options.add_session_config_entry("session.disable_prepacking", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _word_vectors(path: Path) -> Any:
    """The rows stay in the file until they are asked for."""
    file: Any = safe_open(path, "numpy")
    return file.__enter__().get_slice(_WORD_VECTORS)
