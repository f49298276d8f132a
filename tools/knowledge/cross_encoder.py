"""A cross-encoder from any folder: an ONNX model that reads a question and a passage together and gives one score.

None is packaged. Such folders are what Sentence Transformers and Optimum export (`docs/decisions/0021-reranking.md`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tools.errors import SwitchyardError
from tools.knowledge.chunk import embedding_text
from tools.knowledge.documents import Passage
from tools.knowledge.lazy_fastembed import fastembed_module

_MODEL_FILES = ("model.onnx", "onnx/model.onnx")
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
_DIGITS = 12
# The language model does not work yet when passages are scored.
_THREADS = 2
# ONNX Runtime takes no less time for a large batch on one thread, but more memory.
_BATCH = 4


class RerankerError(SwitchyardError):
    """The folder that `SWITCHYARD_RERANKER` names holds no cross-encoder that can be used."""

    code = "reranker"


class CrossEncoder:
    """Scores passages for a question with fastembed's `TextCrossEncoder`, half of them on each of two threads."""

    def __init__(self, model: Any, version: str) -> None:
        """Score with `model`, a loaded `TextCrossEncoder`; `version` names its weights."""
        self._model = model
        self._version = version
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="cross-encoder")

    @classmethod
    def load(cls, folder: Path) -> CrossEncoder:
        """Load the model in `folder` and let it score a pair. Blocks for about a second, for large models longer.

        The folder holds `tokenizer.json`, `tokenizer_config.json` and `model.onnx`, which may lie below `onnx/` or be
        the only file that ends in `.onnx`.

        Raises:
            RerankerError: a file is missing or cannot be loaded, or the model does not give one score a pair.
        """
        file = _model_file(folder)
        try:
            model = _open(folder, file)
            gives_scores = _gives_scores(model)
        # ONNX Runtime and tokenizers raise bare exceptions of many kinds.
        except Exception as error:
            raise RerankerError(
                f"The reranker {folder / file} cannot be loaded: {error}", path=str(folder), file=file
            ) from error
        if not gives_scores:
            raise RerankerError(
                f"The model {folder / file} does not give one score for a question and a passage: SWITCHYARD_RERANKER "
                "needs a cross-encoder with one output, not an embedding model and no classifier of several labels.",
                path=str(folder),
                file=file,
            )
        with (folder / file).open("rb") as content:
            return cls(model, hashlib.file_digest(content, "sha256").hexdigest()[:_DIGITS])

    @property
    def version(self) -> str:
        """Names the model: the start of its file's SHA-256."""
        return self._version

    def passage_scores(self, question: str, passages: Sequence[Passage]) -> list[float]:
        """The model's own scores, on whatever scale it was trained; passages are read with title and headings."""
        texts = [embedding_text(passage, passage.title) for passage in passages]

        def score(share: Sequence[int]) -> list[tuple[int, float]]:
            found = self._model.rerank(question, [texts[i] for i in share], batch_size=_BATCH)
            return [(i, float(one)) for i, one in zip(share, found, strict=True)]

        # A batch is padded to its longest text.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        shares = [share for first in range(_THREADS) if (share := order[first::_THREADS])]
        scores = dict(pair for found in self._threads.map(score, shares) for pair in found)
        return [scores[i] for i in range(len(texts))]

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)


def _model_file(folder: Path) -> str:
    """Where the model lies, relative to `folder`."""
    if not folder.is_dir():
        raise RerankerError(f"SWITCHYARD_RERANKER names {folder}, which is no folder.", path=str(folder))
    if missing := [name for name in _TOKENIZER_FILES if not (folder / name).is_file()]:
        raise RerankerError(f"The reranker in {folder} lacks {' and '.join(missing)}.", path=str(folder))
    if named := [name for name in _MODEL_FILES if (folder / name).is_file()]:
        return named[0]
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.onnx"))
    if len(found) != 1:
        told = f"several models ({', '.join(found)}) and none of them is" if found else "no"
        raise RerankerError(f"The reranker in {folder} holds {told} model.onnx.", path=str(folder))
    return found[0]


def _open(folder: Path, file: str) -> Any:
    encoder = fastembed_module("fastembed.rerank.cross_encoder").TextCrossEncoder
    described = fastembed_module("fastembed.common.model_description")
    name = f"switchyard/{file}"
    # Names that differ in case only are the same to fastembed.
    if not any(model["model"].lower() == name.lower() for model in encoder.list_supported_models()):
        # fastembed wants a source even when the files are given; nothing is ever fetched from it.
        encoder.add_custom_model(model=name, model_file=file, sources=described.ModelSource(hf=name))
    return encoder(name, specific_model_path=str(folder), threads=1, enable_cpu_mem_arena=False)


def _gives_scores(model: Any) -> bool:
    """Whether the model scores a pair; fastembed would take the first of several numbers, whatever it means."""
    shape = model.model.model.get_outputs()[0].shape
    # An axis without a fixed length has a name.
    if len(shape) != 2 or shape[1] not in (1, str(shape[1])):
        return False
    [score] = model.rerank("question", ["passage"])
    return math.isfinite(score)
