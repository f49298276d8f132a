"""Which rows come in which batch: similar lengths together, negatives drawn anew in each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

_WINDOW_BATCHES = 40


class BucketSampler(Sampler[int]):
    """Shuffles rows, sorts windows of many batches by length, then shuffles the batches; the same for the same epoch.

    With `negatives_per_positive`, each epoch has every positive row and that many negatives for each.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        positive: Sequence[bool],
        batch_size: int,
        seed: int,
        negatives_per_positive: float | None = None,
    ) -> None:
        self._lengths = np.asarray(lengths)
        self._positive = np.flatnonzero(np.asarray(positive))
        self._negative = np.flatnonzero(~np.asarray(positive))
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0
        wanted = len(self._negative)
        if negatives_per_positive is not None:
            wanted = min(wanted, max(1, round(negatives_per_positive * len(self._positive))))
        self._negatives = wanted

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch to draw for."""
        self._epoch = epoch

    @property
    def negatives_left(self) -> float:
        """The share of the negative rows that an epoch has."""
        return self._negatives / max(1, len(self._negative))

    def __len__(self) -> int:
        return len(self._positive) + self._negatives

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng([self._seed, self._epoch])
        drawn = random.choice(self._negative, self._negatives, replace=False)
        rows = random.permutation(np.concatenate([self._positive, drawn]))
        window = self._batch_size * _WINDOW_BATCHES
        batches: list[np.ndarray] = []
        for start in range(0, len(rows), window):
            part = rows[start : start + window]
            part = part[np.argsort(self._lengths[part], kind="stable")]
            batches += [part[at : at + self._batch_size] for at in range(0, len(part), self._batch_size)]
        # The one short batch stays last: everything before it keeps its boundaries.
        full = [batch for batch in batches if len(batch) == self._batch_size]
        short = [batch for batch in batches if len(batch) < self._batch_size]
        order = random.permutation(len(full))
        for batch in [*(full[at] for at in order), *short]:
            yield from batch.tolist()
