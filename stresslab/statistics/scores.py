"""How well sampled distributions agree with what followed: ranks, proper scores, coverage and exceedance tests.

Formulas only, on plain arrays; which origins are compared and what follows from it is `stresslab.realism`'s business.
N is universes, K origins, D leads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from stresslab.statistics.distribution import Interval, wilson

FloatArray = NDArray[np.float64]


def pit(sample: ArrayLike, outcome: float) -> float:
    """Probability integral transform (Dawid 1984; Diebold, Gunther & Tay 1998): where an outcome falls in a sample.

    Args:
        sample: (N,) universes.
        outcome: what followed.

    Returns:
        Rank among the N + 1 numbers, in (0, 1); ties are split evenly.
    """
    numbers = np.asarray(sample, dtype=np.float64)
    below, equal = np.count_nonzero(numbers < outcome), np.count_nonzero(numbers == outcome)
    return (below + 0.5 * equal + 0.5) / (len(numbers) + 1)


def crps(sample: ArrayLike, outcome: float) -> float:
    """Continuous ranked probability score of a sample, the fair estimator (Gneiting & Raftery 2007; Ferro 2014).

    E|X - y| - E|X - X'| / 2, the second mean over different universes; 0 is perfect, in units of the outcome.
    """
    ordered = np.sort(np.asarray(sample, dtype=np.float64))
    count = len(ordered)
    distance = float(np.abs(ordered - outcome).mean())
    if count < 2:
        return distance
    weights = 2.0 * np.arange(1, count + 1) - count - 1.0  # sum over pairs of |x_i - x_j| by order statistics
    return distance - float(weights @ ordered) / (count * (count - 1))


def tail_crps(sample: ArrayLike, outcome: float) -> float:
    """Quantile-weighted CRPS that stresses both tails, weight (2a - 1)^2 (Gneiting & Ranjan 2011, eq. 17).

    Args:
        sample: (N,) universes.
        outcome: what followed.

    Returns:
        2 * the mean over levels a of weight(a) * quantile score, in units of the outcome.
    """
    ordered = np.sort(np.asarray(sample, dtype=np.float64))
    levels = (np.arange(len(ordered)) + 0.5) / len(ordered)
    scores = 2.0 * ((outcome < ordered) - levels) * (ordered - outcome)
    return float(((2.0 * levels - 1.0) ** 2 * scores).mean())


def energy_score(sample: ArrayLike, outcome: ArrayLike) -> float:
    """Energy score of whole paths, the CRPS of vectors (Gneiting & Raftery 2007, eq. 22; fair as in `crps`).

    Args:
        sample: (N, D) universes at D leads, each lead in units of its own size.
        outcome: (D,) what followed.
    """
    points, real = np.asarray(sample, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    distance = float(np.linalg.norm(points - real, axis=1).mean())
    half = len(points) // 2
    if half == 0:
        return distance
    apart = np.linalg.norm(points[:half] - points[half : 2 * half], axis=1)  # independent pairs suffice
    return distance - 0.5 * float(apart.mean())


def coverage(ranks: ArrayLike, level: float) -> Interval:
    """Share of outcomes inside the central interval of that level, with its Wilson interval.

    Args:
        ranks: (K,) PIT values of independent origins.
        level: 0.9 for the 90% interval.
    """
    numbers = np.asarray(ranks, dtype=np.float64)
    inside = np.abs(numbers - 0.5) <= level / 2
    return wilson(int(inside.sum()), len(numbers))


def clustered_mean(values: ArrayLike, clusters: ArrayLike, level: float = 0.95, draws: int = 2000) -> Interval:
    """Mean with a percentile interval from resampling whole clusters (Cameron, Gelbach & Miller 2008).

    Args:
        values: (K,) numbers.
        clusters: (K,) labels; numbers of one label are not independent.
        level: coverage of the interval.
        draws: bootstrap repetitions, from a fixed seed.
    """
    numbers, labels = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    _, index = np.unique(labels, return_inverse=True)
    sums, sizes = np.bincount(index, numbers), np.bincount(index)
    drawn = np.random.default_rng(0).integers(len(sums), size=(draws, len(sums)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(float(numbers.mean()), float(low), float(high))


def mean_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Mean of independent numbers with Student's interval; without one the interval is everything."""
    numbers = np.asarray(values, dtype=np.float64)
    mean = float(numbers.mean()) if len(numbers) else math.nan
    if len(numbers) < 2:
        return Interval(mean, -math.inf, math.inf)
    half = float(stats.t.ppf(0.5 + level / 2, len(numbers) - 1)) * float(numbers.std(ddof=1)) / math.sqrt(len(numbers))
    return Interval(mean, mean - half, mean + half)


@dataclass(frozen=True)
class Exceedances:
    """Outcomes beyond a value at risk, and what two tests say of them.

    Attributes:
        count: how many there were.
        expected: how many there should be.
        kupiec: p-value of the exact binomial test that they are as frequent as promised.
        christoffersen: p-value of the likelihood-ratio test that they come independently; None where fewer than five
            are expected or none followed another.
    """

    count: int
    expected: float
    kupiec: float
    christoffersen: float | None


LEAST_EXPECTED = 5.0
"""Exceedances to be expected before their independence can be tested."""


def exceedances(hits: ArrayLike, probability: float) -> Exceedances:
    """Tests of value-at-risk exceedances (Kupiec 1995, exact form; Christoffersen 1998, eq. 9).

    Args:
        hits: (K,) whether the outcome lay beyond the value at risk, in the order of time.
        probability: promised share of exceedances.
    """
    series = np.asarray(hits, dtype=bool)
    count, expected = int(series.sum()), len(series) * probability
    kupiec = float(stats.binomtest(count, len(series), probability).pvalue)
    return Exceedances(count, expected, kupiec, _independence(series) if expected >= LEAST_EXPECTED else None)


def _independence(series: NDArray[np.bool_]) -> float | None:
    """Likelihood ratio of first-order Markov hits against independent ones, chi-square with one degree of freedom."""
    before, after = series[:-1], series[1:]
    n01, n11 = int((~before & after).sum()), int((before & after).sum())
    n00, n10 = int((~before & ~after).sum()), int((before & ~after).sum())
    if n01 + n11 == 0 or n10 + n11 == 0:
        return None
    alike = _bernoulli(n01 + n11, n00 + n10)
    apart = _bernoulli(n01, n00) + _bernoulli(n11, n10)
    return float(stats.chi2.sf(max(0.0, 2.0 * (apart - alike)), 1))


def _bernoulli(hits: int, misses: int) -> float:
    """Log-likelihood at its maximum."""
    total = hits + misses
    return sum(count * math.log(count / total) for count in (hits, misses) if count)
