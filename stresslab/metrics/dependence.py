"""How much symbols move together: rank correlations and joint losses of returns (M, K), M observations of K symbols."""

from __future__ import annotations

import numpy as np

from stresslab.core.arrays import FloatArray

TAIL = 0.05
"""Share of a symbol's worst returns that count as its losses."""


def spearman(returns: FloatArray) -> FloatArray:
    """Spearman correlation (K, K) of the columns; NaN where a column does not vary."""
    from scipy import stats  # slow to import

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.atleast_2d(np.corrcoef(stats.rankdata(returns, axis=0).T)))


def joint_losses(returns: FloatArray, tail: float = TAIL) -> FloatArray:
    """Share (K, K) of a symbol's worst returns that come with another's: P(both in their `tail`) / tail.

    Independent symbols have `tail`, those that fall as one have 1 (the diagonal).
    """
    worst = (returns <= np.quantile(returns, tail, axis=0)).astype(np.float64)
    return np.asarray(worst.T @ worst / (tail * len(returns)))


def pairs(matrix: FloatArray) -> FloatArray:
    """The K (K - 1) / 2 entries above the diagonal of (K, K), row by row."""
    return np.asarray(matrix[np.triu_indices(len(matrix), 1)])
