"""Quantiles of more numbers than memory holds: counts in bins of equal relative width, which add up in any order.

The relative error of a quantile is at most `ACCURACY`; counts are whole numbers, so that who counted what changes
nothing. The idea is DDSketch's (Masson, Rim & Lee 2019, VLDB 12(12)); here no bin is ever collapsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ACCURACY = 1e-4
"""Relative error of a quantile: 0.01%, far less than the width of a line in a picture."""
_LOG = 2 * np.log1p(ACCURACY)
_OFFSET = 2**23
"""More than the bins of all numbers that float64 has, so that keys of positive numbers are positive."""


@dataclass(frozen=True, eq=False)
class Sketch:
    """How many of the numbers of each row lie in which bin.

    Attributes:
        keys: for each row, the bins that hold something, ascending; they order as the numbers do. They fit in 32 bits,
            as counts do up to two billion numbers, and a grid keeps a sketch of each of its sets.
        counts: for each row, how many numbers these hold.
        unit: a number that is kept exactly: the middle of a bin.
    """

    keys: tuple[NDArray[np.int32], ...]
    counts: tuple[NDArray[np.int32], ...]
    unit: float = 1.0

    @classmethod
    def of(cls, values: NDArray[np.floating], unit: float = 1.0) -> Sketch:
        """The sketch of finite numbers (T, N), row by row."""
        found = [np.unique(row, return_counts=True) for row in _keys(np.asarray(values, dtype=np.float64) / unit)]
        return cls(tuple(keys for keys, _ in found), tuple(counts.astype(np.int32) for _, counts in found), unit)

    @classmethod
    def merged(cls, parts: Sequence[Sketch]) -> Sketch:
        """The sketch of all numbers that several sketches saw."""
        merged = []
        for row in range(len(parts[0].keys)):
            keys, at = np.unique(np.concatenate([part.keys[row] for part in parts]), return_inverse=True)
            counts = np.zeros(len(keys), dtype=np.int32)
            np.add.at(counts, at, np.concatenate([part.counts[row] for part in parts]))
            merged.append((keys, counts))
        return cls(tuple(keys for keys, _ in merged), tuple(counts for _, counts in merged), parts[0].unit)

    def quantiles(self, levels: Sequence[float]) -> NDArray[np.float64]:
        """Quantiles (T, levels), interpolated between order statistics as by `numpy.quantile`."""
        rows = []
        for keys, counts in zip(self.keys, self.counts, strict=True):
            ends, values = np.cumsum(counts), self.unit * _middles(keys)
            rank = np.asarray(levels, dtype=np.float64) * (ends[-1] - 1)
            below = values[np.searchsorted(ends, np.floor(rank), side="right")]
            above = values[np.searchsorted(ends, np.ceil(rank), side="right")]
            rows.append(below + (rank - np.floor(rank)) * (above - below))
        return np.array(rows)


def _keys(values: NDArray[np.float64]) -> NDArray[np.int32]:
    """Bins of numbers; 0 for zero, and -k for -x where x is in bin k."""
    with np.errstate(divide="ignore"):
        bins = np.rint(np.log(np.abs(values)) / _LOG)
    return np.where(values == 0, 0, np.sign(values) * (np.where(values == 0, 0, bins) + _OFFSET)).astype(np.int32)


def _middles(keys: NDArray[np.int32]) -> NDArray[np.float64]:
    """The number of a bin from which none in it is further than `ACCURACY`, relatively."""
    return np.where(keys == 0, 0.0, np.sign(keys) * np.exp((np.abs(keys) - _OFFSET) * _LOG))
