"""How long accounts take to be back where they were before a shock. T is bars, N universes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from stresslab.core.arrays import FloatArray


def recovery_bars(equity: ArrayLike, first: int, last: int) -> FloatArray:
    """Bars after a shock until equity is at or above its value before it (N,).

    With E_t the equity after bar t: the least k >= 0 with E_(last + k) >= E_(first - 1). 0 where the shock leaves
    equity no lower than it was; infinite where it is not back within the horizon.

    Args:
        equity: (T + 1, N), row 0 the initial capital.
        first: position of the shock's first bar, from 0.
        last: position of its last bar.
    """
    values = np.asarray(equity, dtype=np.float64)
    back = values[last + 1 :] >= values[first]  # (T - last, N)
    return np.where(back.any(axis=0), back.argmax(axis=0), math.inf)


def median_recovery(bars: ArrayLike) -> float:
    """The median of recovery times (N,), those that are infinite among them; NaN where fewer than half recover."""
    ordered = np.sort(np.asarray(bars, dtype=np.float64))
    if not len(ordered):
        return math.nan
    middle = float(ordered[(len(ordered) - 1) // 2])
    return middle if math.isfinite(middle) else math.nan
