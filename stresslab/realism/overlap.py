"""Origins nearer than a horizon: the bars after them overlap, so what they show counts for less than their number.

Where a series has room for few origins a horizon apart, others between them add evidence. Two windows of bars share
some of them, and of independent bars their sums correlate by that share. K is origins.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stresslab.core.arrays import FloatArray
from stresslab.realism.rolling_origins import Origin


def shared(origins: Sequence[Origin], bars: int) -> FloatArray:
    """Share (K, K) of the bars after each origin that lie after the other one, too.

    Args:
        origins: those that know their `end`; others overlap with none.
        bars: that count after each.
    """
    found = np.eye(len(origins))
    if any(origin.end is None for origin in origins):
        return found
    ends = np.array([origin.end for origin in origins], dtype=np.float64)
    return np.maximum(found, np.clip(1.0 - np.abs(ends[:, None] - ends) / bars, 0.0, None))


def design_effect(origins: Sequence[Origin], squares: bool = False) -> float:
    """How many origins are worth one that overlaps with none: the mean row sum of correlations (Kish 1965).

    Args:
        origins: that overlap or not.
        squares: whether the figure is even in what followed: those of normal numbers correlate by the square.
    """
    if not origins:
        return 1.0
    found = shared(origins, len(origins[0].real))
    return float((found**2 if squares else found).sum() / len(origins))


def apart(origins: Sequence[Origin]) -> int:
    """How many of the origins, at most, are a horizon apart, in the order of time."""
    count, last = 0, -np.inf
    for origin in origins:
        if origin.end is None or origin.end - last >= len(origin.real):
            count, last = count + 1, -np.inf if origin.end is None else origin.end
    return count
