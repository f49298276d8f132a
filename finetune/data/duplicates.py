"""Exact and near duplicates: MinHash (Broder 1997) finds candidates, the true Jaccard similarity decides."""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SIMILARITY = 0.75
_SHINGLE_WORDS = 3
_BANDS, _BAND_ROWS = 16, 4
_MAX_CANDIDATES = 64
_PRIME = (1 << 31) - 1
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True)
class Duplicate:
    """Position of a text that repeats an earlier one; `exact` up to case, spaces and punctuation."""

    index: int
    original: int
    exact: bool


@dataclass
class DuplicateIndex:
    """Texts seen so far. Two texts with different numbers are never near duplicates: in data that are rendered from
    fields the numbers are what differs."""

    threshold: float = SIMILARITY
    _exact: dict[str, int] = field(default_factory=dict[str, int])
    _bands: dict[tuple[int, bytes, int], list[int]] = field(
        default_factory=lambda: defaultdict[tuple[int, bytes, int], list[int]](list)
    )
    _shingles: dict[int, frozenset[int]] = field(default_factory=dict[int, frozenset[int]])

    def find(self, text: str, index: int) -> Duplicate | None:
        """The earlier text that this one repeats, or None."""
        words = _WORD.findall(text.casefold())
        original = self._exact.get(" ".join(words))
        if original is not None:
            return Duplicate(index, original, exact=True)
        shingles = _shingles(words)
        candidates = {other for key in _keys(text, shingles) for other in self._bands.get(key, [])[:_MAX_CANDIDATES]}
        for other in sorted(candidates):
            if _jaccard(shingles, self._shingles[other]) >= self.threshold:
                return Duplicate(index, other, exact=False)
        return None

    def add(self, text: str, index: int) -> None:
        """Remember a text under its index."""
        words = _WORD.findall(text.casefold())
        self._exact.setdefault(" ".join(words), index)
        self._shingles[index] = _shingles(words)
        for key in _keys(text, self._shingles[index]):
            self._bands[key].append(index)


def find_duplicates(texts: Sequence[str], known: Sequence[str] = ()) -> list[Duplicate]:
    """Texts that repeat an earlier one, or one of `known` (their `original` is negative: -1 for the first known)."""
    index = DuplicateIndex()
    for number, text in enumerate(known, start=1):
        index.add(text, -number)
    found: list[Duplicate] = []
    for number, text in enumerate(texts):
        duplicate = index.find(text, number)
        if duplicate is None:
            index.add(text, number)
        else:
            found.append(duplicate)
    return found


def _shingles(words: Sequence[str]) -> frozenset[int]:
    """Hashes of all runs of three words; of the whole text where it is shorter."""
    count = max(1, len(words) - _SHINGLE_WORDS + 1)
    return frozenset(zlib.crc32(" ".join(words[at : at + _SHINGLE_WORDS]).encode()) % _PRIME for at in range(count))


def _keys(text: str, shingles: frozenset[int]) -> list[tuple[int, bytes, int]]:
    """The band buckets a text falls into, per sequence of numbers."""
    numbers = zlib.crc32(" ".join(sorted(_NUMBER.findall(text))).encode())
    signature = _minhash(shingles)
    bands = signature.reshape(_BANDS, _BAND_ROWS)
    return [(band, bands[band].tobytes(), numbers) for band in range(_BANDS)]


def _minhash(shingles: frozenset[int]) -> NDArray[np.int64]:
    values = np.fromiter(shingles, dtype=np.int64, count=len(shingles))
    return ((_MULTIPLIERS[:, None] * values[None, :] + _OFFSETS[:, None]) % _PRIME).min(axis=1)


def _jaccard(left: frozenset[int], right: frozenset[int]) -> float:
    return len(left & right) / len(left | right)


_random = np.random.default_rng(7)
# Below 2^31, so that the product with a shingle fits into 63 bits.
_MULTIPLIERS: NDArray[np.int64] = _random.integers(1, _PRIME, _BANDS * _BAND_ROWS, dtype=np.int64)
_OFFSETS: NDArray[np.int64] = _random.integers(0, _PRIME, _BANDS * _BAND_ROWS, dtype=np.int64)
