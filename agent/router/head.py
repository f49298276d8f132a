"""The router's head: calibrated multinomial logistic regression over a sentence embedding and surface features.

Fitting takes seconds and imports scikit-learn; a fitted head is a small file that loads without it.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.router import surface
from agent.router.surface import surface_features, view
from agent.router.utterances import INTENTS, Intent, Utterance, Utterances
from tools.ports import Embedder, Vector

_C = 10.0
_SURFACE_SCALE = 1.0
_SEED = 0
_TEMPERATURES = np.geomspace(0.3, 4.0, 80)


@dataclass(frozen=True)
class RouterHead:
    """`softmax((x @ weights + bias) / temperature)` in the order of `INTENTS`."""

    weights: Vector
    bias: Vector
    temperature: float
    key: str

    def probabilities(self, embedder: Embedder, text: str) -> dict[Intent, float]:
        """Calibrated probability of each intent. Blocks for one query embedding (cached by its text)."""
        logits = (_row(embedder.embed_query(view(text)), text) @ self.weights + self.bias) / self.temperature
        values = _softmax(logits[None, :])[0]
        return {intent: float(value) for intent, value in zip(INTENTS, values, strict=True)}

    def save(self, path: Path) -> None:
        """Write the head; a reader never sees half a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, weights=self.weights, bias=self.bias, temperature=self.temperature, key=self.key)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> RouterHead:
        """Read a head that `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(stored["weights"], stored["bias"], float(stored["temperature"]), str(stored["key"]))


def head_key(utterances: Utterances, embedder_id: str) -> str:
    """Digest of everything a head depends on: the utterances, the features' code, the embedding model."""
    code = inspect.getsource(surface) + inspect.getsource(inspect.getmodule(head_key) or surface)
    return hashlib.sha256("\0".join((utterances.sha256, code, embedder_id)).encode()).hexdigest()


def head_path(folder: Path, key: str) -> Path:
    """Where a head with this key is kept."""
    return folder / f"head-{key[:16]}.npz"


def load_or_fit(utterances: Utterances, embedder: Embedder, embedder_id: str, folders: Sequence[Path]) -> RouterHead:
    """The head for these utterances: from the first of `folders` that has it, else fitted and saved in the last."""
    key = head_key(utterances, embedder_id)
    for folder in folders:
        path = head_path(folder, key)
        if path.exists() and (head := RouterHead.load(path)).key == key:
            return head
    head = fit_head(utterances, embedder, key)
    head.save(head_path(folders[-1], key))
    return head


def fit_head(utterances: Utterances, embedder: Embedder, key: str) -> RouterHead:
    """Fit on the training split, choose the temperature of least log loss on the validation split, refit on both."""
    inputs, labels = _matrix(utterances.of("train"), embedder)
    held_out, truth = _matrix(utterances.of("validation"), embedder)
    weights, bias = _regress(inputs, labels)
    logits = held_out @ weights + bias
    temperature = min(_TEMPERATURES, key=lambda t: _log_loss(logits / t, truth))
    weights, bias = _regress(np.concatenate([inputs, held_out]), np.concatenate([labels, truth]))
    return RouterHead(weights, bias, float(temperature), key)


def _regress(inputs: Vector, labels: NDArray[np.int64]) -> tuple[Vector, Vector]:
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(C=_C, max_iter=2000, class_weight="balanced", random_state=_SEED)
    model.fit(inputs, labels)
    return model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32)


def _matrix(rows: Sequence[Utterance], embedder: Embedder) -> tuple[Vector, NDArray[np.int64]]:
    # One at a time, as in production: the int8 model's rounding depends on what shares its batch.
    inputs = np.stack([_row(embedder.embed_query(view(row.text)), row.text) for row in rows])
    return inputs, np.array([INTENTS.index(row.intent) for row in rows])


def _row(embedding: Vector, text: str) -> Vector:
    return np.concatenate([embedding, _SURFACE_SCALE * surface_features(text)])


def _softmax(logits: Vector) -> Vector:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _log_loss(logits: Vector, truth: NDArray[np.int64]) -> float:
    chosen = _softmax(logits)[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(chosen, 1e-12, 1.0)).mean())
