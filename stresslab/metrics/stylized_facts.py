"""Stylised facts of returns (Cont 2001): one function each, on (N, T) arrays, so that universes and reality compare.

Formulas only. Except for `volatility`, every row is first brought to mean 0 and variance 1 and rows are averaged, so
that a window of a turbulent year and one of a calm year count alike; what a short window does to an estimate, it does
to universes and to reality alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray

LAGS = 20
"""Lags of absolute returns that are averaged; at most a quarter of the window, since longer ones are mostly noise."""
LEVERAGE_LAGS = 10
HILL_SHARE = 0.05
"""Share of the largest returns that Hill's estimator uses."""
VARIANCE_RATIO_BARS = 5
NO_VARIANCE = 1e-9
"""A row whose deviation is a smaller part than this of its largest number varies by rounding alone."""


def standardised(series: FloatArray) -> FloatArray:
    """Rows (N, T) at mean 0 and variance 1; rows without variance are left out."""
    centred = series - series.mean(axis=1, keepdims=True)
    deviations = centred.std(axis=1, keepdims=True)
    varied = varies(series)
    return np.asarray(centred[varied] / deviations[varied])


def varies(series: FloatArray) -> NDArray[np.bool_]:
    """Which rows (N, T) have variance: (N,)."""
    return np.asarray(series.std(axis=1) > NO_VARIANCE * np.abs(series).max(axis=1))


def volatility(returns: FloatArray) -> float:
    """Root mean square of returns (N, T)."""
    return math.sqrt(float((returns**2).mean()))


def autocorrelation(series: FloatArray, lag: int) -> float:
    """Mean over rows (N, T) of the autocorrelation at a lag; NaN where no row has one."""
    rows = standardised(series)
    return _mean(rows[:, lag:] * rows[:, : max(0, rows.shape[1] - lag)])


def lag_one(returns: FloatArray) -> float:
    """Autocorrelation of returns at lag 1."""
    return autocorrelation(returns, 1)


def clustering(returns: FloatArray) -> float:
    """Mean autocorrelation of absolute returns over lags 1 to `LAGS`."""
    lags = range(1, min(LAGS, returns.shape[1] // 4) + 1)
    return float(np.mean([autocorrelation(np.abs(returns), lag) for lag in lags])) if lags else math.nan


def leverage(returns: FloatArray) -> float:
    """Mean correlation of a return with the absolute returns of the next bars (Black 1976); negative in equities."""
    varied = returns[varies(returns) & varies(np.abs(returns))]
    rows, sizes = standardised(varied), standardised(np.abs(varied))
    lags = range(1, min(LEVERAGE_LAGS, returns.shape[1] // 4) + 1)
    if not lags:
        return math.nan
    return float(np.mean([_mean(rows[:, :-lag] * sizes[:, lag:]) for lag in lags]))


def kurtosis(returns: FloatArray) -> float:
    """Raw kurtosis (3 for a normal)."""
    return _mean(standardised(returns) ** 4)


def left_tail_index(returns: FloatArray) -> float:
    """Hill's index of the losses."""
    return _hill(-standardised(returns))


def right_tail_index(returns: FloatArray) -> float:
    """Hill's index of the gains."""
    return _hill(standardised(returns))


def variance_ratio(returns: FloatArray) -> float:
    """Variance of sums of q = `VARIANCE_RATIO_BARS` returns over that of single ones; 1 for a random walk.

    Overlapping sums, both variances corrected for the estimated mean (Lo & MacKinlay 1988, eq. 12); NaN for T <= q.
    """
    bars, rows = VARIANCE_RATIO_BARS, standardised(returns)
    count = rows.shape[1]
    if count <= bars:
        return math.nan
    sums = np.cumsum(np.pad(rows, ((0, 0), (1, 0))), axis=1)
    of_sums = _mean((sums[:, bars:] - sums[:, :-bars]) ** 2) / (bars * (1 - bars / count))
    return float(of_sums * (count - 1) / count)


def volume_volatility(returns: FloatArray, volumes: FloatArray) -> float:
    """Correlation of the log-volume with the absolute return of its bar, within rows that have volume in every bar."""
    traded = (volumes > 0).all(axis=1)
    sizes, logs = np.abs(returns[traded]), np.log(volumes[traded])
    varied = varies(sizes) & varies(logs)
    return _mean(standardised(sizes[varied]) * standardised(logs[varied]))


def _hill(numbers: FloatArray) -> float:
    """Tail index of the largest numbers (Hill 1975, eq. 2.3): smaller is heavier; NaN below ten tail numbers."""
    positive = np.sort(numbers[numbers > 0])
    size = int(HILL_SHARE * numbers.size)
    if size < 10 or len(positive) <= size:
        return math.nan
    excess = float(np.log(positive[-size:] / positive[-size - 1]).mean())
    return 1.0 / excess if excess > 0 else math.nan


def _mean(numbers: FloatArray) -> float:
    return float(numbers.mean()) if numbers.size else math.nan


FACTS: Mapping[str, Callable[[FloatArray], float]] = MappingProxyType(
    {
        fact.__name__: fact
        for fact in (
            volatility, lag_one, clustering, leverage, kurtosis, left_tail_index, right_tail_index, variance_ratio,
        )
    }
)  # fmt: skip
"""Every fact that returns alone decide, by name."""
