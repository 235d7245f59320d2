"""How volatile a series was of late, as it was known when an order was decided."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

WINDOW = 20
"""Bar returns that count as recent, about a month of days (J.P. Morgan/Reuters 1996, RiskMetrics, uses 25)."""


def recent_volatility(history: FloatArray, closes: FloatArray) -> FloatArray:
    """Sample standard deviation of the last 20 returns before each bar, up to the close at which it was decided.

    Args:
        history: (W,) closes before the universes.
        closes: (T, N) closes of the universes.

    Returns:
        (T, N) fractions a bar; of fewer returns while there are fewer, NaN while there are not two.
    """
    steps, count = closes.shape
    before = history[-WINDOW - 1 :]
    known = np.concatenate([np.broadcast_to(before, (count, len(before))), closes[:-1].T], axis=1)
    known = np.ascontiguousarray(known)  # each universe contiguous: its sums do not depend on how many lie beside it
    returns = known[:, 1:] / known[:, :-1] - 1.0  # (N, len(before) + T - 2)
    found = np.full((steps, count), np.nan)
    for bar in range(steps):
        last = len(before) + bar - 1
        recent = returns[:, max(0, last - WINDOW) : max(0, last)]
        if recent.shape[1] > 1:
            found[bar] = recent.std(axis=1, ddof=1)
    return found
