"""Makes impossible generated bars possible, by fixed rules, and counts them; no path is ever dropped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_PRICE = 1e-4
"""Least price of a generated bar, as a share of the last real close: a model of price levels can fall below zero."""
OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)


def repaired(values: NDArray[np.float64], last_close: float) -> tuple[NDArray[np.float64], int]:
    """Bars with prices above zero, the high highest, the low lowest, and volume and amount not below zero.

    Args:
        values: (N, T, F) finite bars.
        last_close: last real close.

    Returns:
        The bars (N, T, F), and how many of them had to be changed.
    """
    bars = values.copy()
    np.maximum(bars[..., : CLOSE + 1], LEAST_PRICE * last_close, out=bars[..., : CLOSE + 1])
    highest, lowest = bars[..., : CLOSE + 1].max(axis=-1), bars[..., : CLOSE + 1].min(axis=-1)
    bars[..., HIGH], bars[..., LOW] = highest, lowest
    np.maximum(bars[..., VOLUME:], 0.0, out=bars[..., VOLUME:])
    return bars, int((bars != values).any(axis=-1).sum())
