"""What charts are made of: bins, ticks, and the few points of a long line that are worth drawing.

It knows arrays. `chart` and `images` decide how they look in a page and in a picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from stresslab.core.arrays import FloatArray, IntArray

MAX_BINS = 60
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Histogram:
    """Counts between edges that are multiples of one step, so that zero is an edge wherever it lies within.

    Attributes:
        edges: (B + 1,) increasing.
        counts: (B,) the first and the last include what lies beyond.
        below: how many of the first lie below the first edge.
        above: how many of the last lie at or above the last edge.
    """

    edges: FloatArray
    counts: IntArray
    below: int
    above: int

    @property
    def low(self) -> float:
        """The first edge."""
        return float(self.edges[0])

    @property
    def high(self) -> float:
        """The last edge."""
        return float(self.edges[-1])


def nice_step(width: float) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that is not below a width above zero."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(factor * power for factor in _NICE if factor * power >= width * (1 - 1e-9))


def ticks(low: float, high: float, most: int = 6) -> FloatArray:
    """At most `most` + 1 round numbers within [low, high]; the one number where both ends are the same."""
    if not high > low:
        return np.array([low])
    step = nice_step((high - low) / most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return np.round(np.arange(first, last + 1) * step, 12) + 0.0


def log_ticks(low: float, high: float) -> FloatArray:
    """Round numbers within [low, high], both above zero, for a logarithmic axis."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        marks = [factor * 10.0**decade for decade in decades for factor in factors]
        within = np.array([mark for mark in marks if low <= mark <= high])
        if len(within) >= 4:
            break
    return within


def histogram(sample: ArrayLike, marks: Sequence[float] = ()) -> Histogram:
    """Bins of about Freedman & Diaconis' (1981) width over the middle 99% of a sample and the marks near it.

    Args:
        sample: (N,) numbers; those that are not finite are left out.
        marks: numbers that shall lie within the bins unless they are far off.

    Returns:
        At least one bin, at most `MAX_BINS`. A rare loss among gains, or the reverse, keeps a bin on its own side of
        zero. Empty bins around zero for an empty sample.
    """
    ordered = np.asarray(sample, dtype=np.float64)
    ordered = np.sort(ordered[np.isfinite(ordered)])
    if not len(ordered):
        return Histogram(np.array([-0.01, 0.0, 0.01]), np.zeros(2, dtype=np.int64), 0, 0)
    low, high = (float(number) for number in np.quantile(ordered, [0.005, 0.995]))
    near = max(2 * (high - low), 1e-9)
    within = [mark for mark in marks if low - near <= mark <= high + near]
    left, right = min([low, *within]), max([high, *within])
    quartiles = np.quantile(ordered, [0.25, 0.75])
    width = 2 * float(quartiles[1] - quartiles[0]) / len(ordered) ** (1 / 3)
    if right > left:
        width = width if width > 0 else (right - left) / 30
        step = nice_step(max(width, (right - left) / MAX_BINS * 1.1, abs(left) * 1e-6, 1e-9))
    else:
        step = nice_step(max(abs(left) / 10, 0.01))
    first, last = math.floor(left / step), math.floor(right / step) + 1
    first = min(first, -1) if ordered[0] < 0 <= first else first
    last = max(last, 1) if ordered[-1] >= 0 and last <= 0 else last
    edges = np.round(np.arange(first, last + 1) * step, 12) + 0.0
    places = np.searchsorted(edges, ordered, side="right") - 1
    counts = np.bincount(np.clip(places, 0, len(edges) - 2), minlength=len(edges) - 1)
    below, above = int((places < 0).sum()), int((places > len(edges) - 2).sum())
    return Histogram(edges, counts.astype(np.int64), below, above)


def thin(count: int, most: int) -> IntArray:
    """Positions of at most `most` of `count` points, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def thin_line(values: ArrayLike, most: int) -> IntArray:
    """Positions of at most `most` + 2 points of a line (T,) that keep its ends and, of each stretch, both extremes."""
    line = np.asarray(values, dtype=np.float64)
    if len(line) <= most:
        return np.arange(len(line))
    kept = [0, len(line) - 1]
    for stretch in np.array_split(np.arange(len(line)), most // 2):
        kept += [int(stretch[line[stretch].argmin()]), int(stretch[line[stretch].argmax()])]
    return np.unique(kept)
