"""Stylised facts of returns (Cont 2001): one function each, on (N, T) arrays, so that universes and reality compare.

Formulas only. Every function pools over N: sums of products over all rows, divided once, so that short windows are not
biased one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
LAGS = 20
"""Lags of absolute returns that are averaged."""
LEVERAGE_LAGS = 10
HILL_SHARE = 0.05
"""Share of the largest returns that Hill's estimator uses."""
VARIANCE_RATIO_BARS = 5


def autocorrelation(series: FloatArray, lag: int) -> float:
    """Autocorrelation at a lag, about the pooled mean (N, T); NaN where there is no variance or no such lag."""
    if series.shape[1] <= lag:
        return math.nan
    centred = series - series.mean()
    return _ratio(float((centred[:, lag:] * centred[:, : series.shape[1] - lag]).mean()), float((centred**2).mean()))


def volatility(returns: FloatArray) -> float:
    """Root mean square of returns (N, T)."""
    return math.sqrt(float((returns**2).mean()))


def lag_one(returns: FloatArray) -> float:
    """Autocorrelation of returns at lag 1."""
    return autocorrelation(returns, 1)


def clustering(returns: FloatArray) -> float:
    """Mean autocorrelation of absolute returns over lags 1 to `LAGS`."""
    lags = range(1, min(LAGS, returns.shape[1] - 1) + 1)
    return float(np.mean([autocorrelation(np.abs(returns), lag) for lag in lags])) if lags else math.nan


def leverage(returns: FloatArray) -> float:
    """Mean correlation of a return with the absolute returns of the next bars (Black 1976); negative in equities."""
    centred, sizes = returns - returns.mean(), np.abs(returns) - np.abs(returns).mean()
    spread = math.sqrt(float((centred**2).mean()) * float((sizes**2).mean()))
    lags = range(1, min(LEVERAGE_LAGS, returns.shape[1] - 1) + 1)
    products = [float((centred[:, :-lag] * sizes[:, lag:]).mean()) for lag in lags]
    return _ratio(float(np.mean(products)), spread) if products else math.nan


def kurtosis(returns: FloatArray) -> float:
    """Raw kurtosis (3 for a normal)."""
    centred = returns - returns.mean()
    return _ratio(float((centred**4).mean()), float((centred**2).mean()) ** 2)


def hill(losses: FloatArray) -> float:
    """Tail index of the largest numbers (Hill 1975, eq. 2.3): smaller is heavier; NaN below ten tail numbers."""
    positive = np.sort(losses[losses > 0])
    size = int(HILL_SHARE * losses.size)
    if size < 10 or len(positive) <= size:
        return math.nan
    return _ratio(1.0, float(np.log(positive[-size:] / positive[-size - 1]).mean()))


def variance_ratio(returns: FloatArray) -> float:
    """Variance of sums of `VARIANCE_RATIO_BARS` returns over that of single ones (Lo & MacKinlay 1988); 1 for a walk."""
    bars = VARIANCE_RATIO_BARS
    if returns.shape[1] < bars:
        return math.nan
    centred = returns - returns.mean()
    sums = np.cumsum(np.pad(centred, ((0, 0), (1, 0))), axis=1)
    over = sums[:, bars:] - sums[:, :-bars]
    return _ratio(float((over**2).mean()), bars * float((centred**2).mean()))


def volume_volatility(returns: FloatArray, volumes: FloatArray) -> float:
    """Correlation of the log-volume with the absolute return of its bar, within rows; NaN without volume."""
    if not (volumes > 0).all():
        return math.nan
    logs = np.log(volumes)
    a, b = logs - logs.mean(axis=1, keepdims=True), np.abs(returns) - np.abs(returns).mean(axis=1, keepdims=True)
    return _ratio(float((a * b).mean()), math.sqrt(float((a**2).mean()) * float((b**2).mean())))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else math.nan


FACTS: Mapping[str, Callable[[FloatArray], float]] = MappingProxyType(
    {
        "volatility": volatility,
        "lag_one": lag_one,
        "clustering": clustering,
        "leverage": leverage,
        "kurtosis": kurtosis,
        "left_tail_index": lambda returns: hill(-returns),
        "right_tail_index": hill,
        "variance_ratio": variance_ratio,
    }
)
"""Every fact that returns alone decide, by name."""
