"""Markets of several symbols made from a seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from stresslab.data.bars import Bars
from stresslab.data.market import Market


def make_market(symbols: int = 3, count: int = 900, rho: float = 0.7, degrees: float = 4.0, seed: int = 0) -> Market:
    """Symbols whose returns have a common factor and fat tails in common."""
    rng = np.random.default_rng(seed)
    shape = np.full((symbols, symbols), rho)
    np.fill_diagonal(shape, 1.0)
    steps = stats.multivariate_t(shape=shape, df=degrees, seed=rng).rvs(count)
    closes = 100 * np.exp(np.cumsum(0.01 * steps, axis=0))  # (T, K)
    stamps = pd.date_range("2015-01-01", periods=count, freq="D")
    series = []
    for position in range(symbols):
        close = closes[:, position]
        values = np.stack([close, close, close, close, np.ones(count), close], axis=1)
        series.append(Bars(stamps, values, symbol=f"S{position}"))
    return Market.align(series)
