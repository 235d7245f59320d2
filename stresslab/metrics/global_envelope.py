"""A band that a whole path stays in with a stated probability, and the p-value of a path against simulated ones.

It knows curves. A pointwise 95% band is left somewhere by far more than 5% of paths; this one is simultaneous over the
whole horizon, so it may be looked at every day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GlobalEnvelope:
    """A simultaneous band over T times.

    Attributes:
        low: (T,) lower edge.
        high: (T,) upper edge.
        level: probability that a path of the same law stays inside throughout.
    """

    low: FloatArray
    high: FloatArray
    level: float

    def first_outside(self, path: ArrayLike) -> int | None:
        """Index of the first time at which a path of at most T values lies outside; None where it never does."""
        values = np.asarray(path, dtype=np.float64)
        outside = (values < self.low[: len(values)]) | (values > self.high[: len(values)])
        return int(np.argmax(outside)) if outside.any() else None


def extreme_rank_lengths(curves: ArrayLike) -> FloatArray:
    """How extreme each of N curves (T, N) is among all of them: 1/N for the most extreme, 1 for the least.

    Extreme rank length (Myllymaki, Mrkvicka, Grabarnik, Seijo & Hahn 2017, eq. 8): the two-sided pointwise ranks of a
    curve are sorted from the most extreme on, and curves are ordered by these lists lexicographically. Ties among equal
    curves share the larger value. Times at which all curves are equal say nothing and are left out.

    Returns:
        (N,) measures; small is extreme.
    """
    values = np.asarray(curves, dtype=np.float64)
    values = values[np.ptp(values, axis=1) > 0]
    count = np.asarray(curves).shape[1]
    if len(values) == 0:
        return np.ones(count)
    below = _competition_ranks(values)
    above = _competition_ranks(-values)
    ordered = np.sort(np.minimum(below, above), axis=0)  # (T, N), the most extreme ranks first
    positions = np.lexsort(ordered[::-1])  # by the first row, ties by the second, ...
    measures = np.empty(count)
    same_as_next = (ordered[:, positions[:-1]] == ordered[:, positions[1:]]).all(axis=0)
    place = float(count)
    for index in range(count - 1, -1, -1):
        if index == count - 1 or not same_as_next[index]:
            place = index + 1.0
        measures[positions[index]] = place / count
    return measures


def _competition_ranks(values: FloatArray) -> NDArray[np.int64]:
    """1 for the smallest of each row; equal values share the larger rank, so that a tie is never extreme."""
    ordered = np.sort(values, axis=1)
    return np.stack([np.searchsorted(row, own, side="right") for row, own in zip(ordered, values, strict=True)])


def global_envelope(curves: ArrayLike, level: float = 0.95) -> GlobalEnvelope:
    """The band between the k-th smallest and the k-th largest value at each time, with k as large as `level` allows.

    A further curve of the same law leaves it where its rank among N + 1 is k or less, so k is the largest number at
    which a share of at most 1 - level of the N curves have a rank of k or less somewhere (the global rank envelope of
    Myllymaki et al. 2017, section 3.2). Few curves, or many times, can leave no such k; the band is then that of all
    curves, and its `level` says how often a further curve stays inside.

    Args:
        curves: (T, N) simulated paths.
        level: share of paths that stay inside throughout, at least.
    """
    values = np.asarray(curves, dtype=np.float64)
    ordered = np.sort(values, axis=1)
    moving = values[np.ptp(values, axis=1) > 0]
    count = values.shape[1]
    if len(moving) == 0:
        return GlobalEnvelope(ordered[:, 0], ordered[:, -1], 1.0)
    ranks = np.minimum(_competition_ranks(moving), _competition_ranks(-moving)).min(axis=0)  # (N,)
    shares = np.searchsorted(np.sort(ranks), np.arange(1, count // 2 + 2), side="right") / count  # at k = 1, 2, ...
    k = max(int((shares <= 1.0 - level).sum()), 1)
    return GlobalEnvelope(ordered[:, k - 1], ordered[:, -k], 1.0 - float(shares[k - 1]))


def envelope_p_value(path: ArrayLike, curves: ArrayLike) -> float:
    """Share of curves at least as extreme as the path, the path counted among them: valid and never 0.

    Args:
        path: (t,) values, t <= T; the curves are cut to as many.
        curves: (T, N) simulated paths.
    """
    values = np.asarray(path, dtype=np.float64)
    joined = np.column_stack([np.asarray(curves, dtype=np.float64)[: len(values)], values])
    measures = extreme_rank_lengths(joined)
    return float((measures <= measures[-1]).mean())
