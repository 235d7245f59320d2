"""Quantiles and tails of the laws that statistics are judged by, and moments of a sample, without `scipy.stats`.

These are the functions of `scipy.special` that `scipy.stats` calls itself, so figures are the same bit for bit; the
import of all its distributions takes a third of a second of every process.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from stresslab.core.arrays import FloatArray


def normal_quantile(probability: Any) -> Any:
    """Z with P(Z <= z) = probability; of a number a number, of an array an array."""
    return special.ndtri(probability)


def normal_cdf(z: Any) -> Any:
    """P(Z <= z)."""
    return special.ndtr(z)


def normal_tail(z: Any) -> Any:
    """P(Z > z)."""
    return special.ndtr(-z)


def normal_log_density(x: FloatArray, mean: ArrayLike, sd: ArrayLike) -> FloatArray:
    """Log density at `x` of a normal law with this mean and standard deviation; all broadcast."""
    z = (x - np.asarray(mean)) / np.asarray(sd)
    return np.asarray(-(z**2) / 2.0 - _LOG_ROOT - np.log(sd))


_LOG_ROOT = np.log(np.sqrt(2 * np.pi))


def student_quantile(probability: float, degrees: float) -> float:
    """T with P(T <= t) = probability; NaN without degrees of freedom."""
    return float(special.stdtrit(degrees, probability)) if degrees > 0 else math.nan


def student_tail(t: float, degrees: float) -> float:
    """P(T > t); NaN without degrees of freedom."""
    return float(special.stdtr(degrees, -t)) if degrees > 0 else math.nan


def gamma_quantile(probability: Any, shape: float) -> Any:
    """X with P(X <= x) = probability where X is the sum of `shape` exponentials of mean 1."""
    return special.gammaincinv(shape, probability)


def chi_square_tail(x: float, degrees: float) -> float:
    """P(X > x)."""
    return float(special.chdtrc(degrees, x))


def binomial_ranks(count: int, probability: float, tail: float) -> tuple[int, int]:
    """The largest r with P(B < r) <= tail, and the smallest with P(B >= r) <= tail, of `count` trials.

    Args:
        count: trials.
        probability: of a success, in (0, 1).
        tail: at most, in (0, 0.5).
    """
    below = special.bdtr(np.arange(count + 1), count, probability)  # P(B <= k), rising
    return int(np.searchsorted(below, tail, side="right")), int(np.searchsorted(below, 1 - tail, side="left")) + 1


def skewness(sample: ArrayLike) -> float:
    """Third central moment over the second to the power 1.5, both with N; NaN where nothing varies."""
    apart, variance = _deviations(sample)
    return math.nan if math.isnan(variance) else float((apart**2 * apart).mean() / variance**1.5)


def kurtosis(sample: ArrayLike) -> float:
    """Fourth central moment over the square of the second, both with N, 3 for a normal law; NaN where all is equal."""
    apart, variance = _deviations(sample)
    return math.nan if math.isnan(variance) else float(((apart**2) ** 2).mean() / variance**2.0)


def _deviations(sample: ArrayLike) -> tuple[FloatArray, np.float64]:
    """Deviations from the mean, and their mean square; NaN where that is rounding."""
    numbers = np.asarray(sample, dtype=np.float64)
    if not len(numbers):
        return numbers, np.float64(math.nan)
    mean = numbers.mean()
    apart = numbers - mean
    variance = np.float64((apart**2).mean())
    varies = variance > (np.finfo(np.float64).eps * mean) ** 2
    return apart, variance if varies else np.float64(math.nan)
