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


def scaled_envelope(curves: ArrayLike, level: float = 0.95) -> GlobalEnvelope:
    """The band m(t) - c (m(t) - q_low(t)) to m(t) + c (q_high(t) - m(t)) that all but a share of curves stay inside.

    m is the pointwise median, q_low and q_high are the pointwise 2.5% and 97.5% quantiles (directional quantile
    scaling, with the floor of `_scale`), and c is the k-th largest of the curves' own greatest scaled deviations,
    k = floor((1 - level) (N + 1)): the scaled envelope of Myllymaki et al. (2017, section 4), a rank test on that
    deviation. A further curve of the same law leaves the band at some time with probability at most k / (N + 1), also
    where times are many and a band between ranks of pointwise values would have to be wider than all curves.

    Args:
        curves: (T, N) simulated paths.
        level: probability that a further path stays inside throughout, at least; where N is too small for it, k is 1,
            and the band's `level` says how often a further curve stays inside.
    """
    values = np.asarray(curves, dtype=np.float64)
    count = values.shape[1]
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975], axis=1)[:, :, None]  # (T, 1) each
    above, below = (_scale(one, values) for one in (high - middle, middle - low))
    deviations = np.maximum((values - middle) / above, (middle - values) / below).max(axis=0)  # (N,)
    out = max(int((1.0 - level) * (count + 1) + 1e-9), 1)
    critical = float(np.sort(deviations)[-out])
    edges = middle - critical * below, middle + critical * above
    return GlobalEnvelope(edges[0][:, 0], edges[1][:, 0], 1.0 - out / (count + 1))


def _scale(spread: FloatArray, values: FloatArray) -> FloatArray:
    """Spread (T, 1) of curves at each time, at least their standard deviation, and a tenth of the largest spread.

    The latter in proportion to the root of time: early on most curves may be equal, and the few that are not would
    alone decide how wide the band is later.
    """
    times = np.sqrt(np.arange(1, len(values) + 1) / len(values))[:, None]
    floor = 0.1 * float(spread.max()) * times + 1e-9
    return np.asarray(np.maximum(np.maximum(spread, values.std(axis=1)[:, None]), floor))


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
