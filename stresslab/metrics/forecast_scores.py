"""How well sampled distributions agree with what followed: ranks, proper scores, coverage and exceedance tests.

Formulas only, on plain arrays; `stresslab.realism` chooses the origins and draws the conclusion.
N is universes, K origins, D leads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.plain_json import plain
from stresslab.core.randomness import Stream, numpy_generator
from stresslab.metrics import laws
from stresslab.metrics.distribution import Interval, wilson


def pit(sample: ArrayLike, outcome: float) -> float:
    """Probability integral transform (Dawid 1984; Diebold, Gunther & Tay 1998): where an outcome falls in a sample.

    Args:
        sample: (N,) universes.
        outcome: what followed.

    Returns:
        The middle of the outcome's cell when the N universes cut (0, 1) into N + 1 equal cells; ties are split evenly.
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
    """CRPS with both tails stressed: quantile scores weighted by (2a - 1)^2 (Gneiting & Ranjan 2011, table 4).

    The integral over levels a of weight(a) * 2 (1{y < q(a)} - a) (q(a) - y), exact for the sample's own quantile
    function q. Unlike `crps` it is not corrected for the size of the sample: compare it at the same N only.

    Args:
        sample: (N,) universes.
        outcome: y, what followed.

    Returns:
        The score in units of the outcome; 0 is perfect.
    """
    ordered = np.sort(np.asarray(sample, dtype=np.float64))
    a = np.arange(len(ordered) + 1) / len(ordered)
    weight = np.diff((2 * a - 1) ** 3 / 6)  # integrals of (2a - 1)^2 and a (2a - 1)^2 between levels
    moment = np.diff(a**4 - 4 * a**3 / 3 + a**2 / 2)
    return float((2 * ((outcome < ordered) * weight - moment) * (ordered - outcome)).sum())


def energy_score(sample: ArrayLike, outcome: ArrayLike) -> float:
    """Energy score of whole paths, the CRPS of vectors (Gneiting & Raftery 2007, eq. 22; fair as in `crps`).

    Args:
        sample: (N, D) universes at D leads, each lead in units of its own size.
        outcome: (D,) what followed.
    """
    points, real = np.asarray(sample, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    distance = float(np.linalg.norm(points - real, axis=1).mean())
    if len(points) < 2:
        return distance
    from scipy.spatial.distance import pdist  # slow to import

    return distance - 0.5 * float(pdist(points).mean())


def inside(ranks: ArrayLike, level: float, universes: int) -> FloatArray:
    """Which outcomes (K,) lie inside the central interval of that level: 1, 0, or a part where its end cuts a cell.

    An outcome whose cell is cut counts by the part of the cell that lies inside. So the mean is unbiased for any number
    of universes, which that of a mere count is not.

    Args:
        ranks: (K,) PIT values.
        level: 0.9 for the 90% interval.
        universes: N at each origin.
    """
    half = 0.5 / (universes + 1)
    distance = np.abs(np.asarray(ranks, dtype=np.float64) - 0.5)
    return np.asarray(np.clip((level / 2 - (distance - half)) / (2 * half), 0.0, 1.0))


def evenness(ranks: ArrayLike) -> float:
    """p-value of even ranks: the Cramer-von Mises test (Anderson & Darling 1952) against the uniform distribution.

    True universes give even ranks (Dawid 1984). Small-sample corrections are those of Csorgo & Faraway (1996).

    Args:
        ranks: (K,) in (0, 1), of independent outcomes.

    Returns:
        The probability of ranks as uneven as these, if each is as likely as any other. NaN for fewer than two.
    """
    values = np.asarray(ranks, dtype=np.float64)
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return math.nan
    from scipy import stats  # slow to import

    return float(stats.cramervonmises(values, "uniform").pvalue)


def coverage(ranks: ArrayLike, level: float, universes: int, confidence: float = 0.95) -> Interval:
    """Share of outcomes inside the central interval of that level, with its Wilson interval; see `inside`.

    Args:
        ranks: (K,) PIT values of independent origins.
        level: 0.9 for the 90% interval.
        universes: N at each origin.
        confidence: of the Wilson interval.

    Returns:
        The share and its interval; NaN and [0, 1] without ranks.
    """
    held = inside(ranks, level, universes)
    return wilson(float(held.sum()), len(held), confidence)


def clustered_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    clusters: ArrayLike,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """Ratio of two sums with a percentile interval from resampling whole clusters (Cameron, Gelbach & Miller 2008).

    The percentiles are widened for few clusters (Hesterberg 2015, "expanded percentile interval").

    Args:
        numerators: (K,) numbers.
        denominators: (K,) numbers.
        clusters: (K,) labels; numbers of one label are not independent.
        level: coverage of the interval.
        draws: bootstrap repetitions.
        seed: of the bootstrap.

    Returns:
        The ratio and its interval; NaN without numbers or where the denominators sum to 0, and no bounds with fewer
        than two clusters.
    """
    above, below = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    _, index = np.unique(np.asarray(clusters), return_inverse=True)
    groups = int(index.max()) + 1 if len(index) else 0
    value = float(above.sum() / below.sum()) if below.sum() != 0 else math.nan
    if groups < 2 or math.isnan(value):
        return Interval(value, -math.inf, math.inf)
    sums = np.column_stack([np.bincount(index, above), np.bincount(index, below)])
    rng = numpy_generator(seed, Stream.CLUSTERS)
    drawn = rng.multinomial(groups, np.full(groups, 1 / groups), size=draws) @ sums  # (draws, 2)
    ratios = drawn[:, 0] / np.where(drawn[:, 1] == 0, np.nan, drawn[:, 1])
    tail = laws.normal_cdf(math.sqrt(groups / (groups - 1)) * laws.student_quantile(0.5 - level / 2, groups - 1))
    low, high = np.nanquantile(ratios, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def clustered_mean(values: ArrayLike, clusters: ArrayLike, level: float = 0.95, draws: int = 2000) -> Interval:
    """Mean with an interval from resampling whole clusters; see `clustered_ratio`."""
    numbers = np.asarray(values, dtype=np.float64)
    return clustered_ratio(numbers, np.ones(len(numbers)), clusters, level, draws)


def clustered_share(held: ArrayLike, clusters: ArrayLike, level: float = 0.95, draws: int = 2000) -> Interval:
    """A share with an interval from resampling whole clusters; where that collapses, Wilson's of as many as clusters.

    Args:
        held: (K,) numbers in [0, 1].
        clusters: (K,) labels; numbers of one label are not independent.
        level: coverage of the interval.
        draws: bootstrap repetitions, from a fixed seed.
    """
    numbers, groups = np.asarray(held, dtype=np.float64), len(np.unique(np.asarray(clusters)))
    if len(numbers) == 0 or numbers.min() == numbers.max():
        return wilson(float(numbers.mean()) * groups if groups else 0.0, groups, level)
    found = clustered_mean(numbers, clusters, level, draws)
    return Interval(found.value, max(0.0, found.low), min(1.0, found.high))


def mean_interval(values: ArrayLike, level: float = 0.95, effect: float = 1.0) -> Interval:
    """Mean with Student's interval; NaN without numbers, no bounds where they count as fewer than two independent ones.

    Args:
        values: (K,) numbers.
        level: coverage of the interval.
        effect: variance of the mean over that of independent numbers, the design effect (Kish 1965): the mean row sum
            of their correlations; 1 where they are independent. The K numbers count as K / effect.
    """
    numbers = np.asarray(values, dtype=np.float64)
    mean, count = float(numbers.mean()) if len(numbers) else math.nan, len(numbers) / effect
    if count < 2:
        return Interval(mean, -math.inf, math.inf)
    variance = float(((numbers - mean) ** 2).sum()) / (len(numbers) - effect)
    half = laws.student_quantile(0.5 + level / 2, count - 1) * math.sqrt(variance / count)
    return Interval(mean, mean - half, mean + half)


def scatter(sample: ArrayLike, outcomes: ArrayLike, level: float = 0.95, effect: float = 1.0) -> Interval:
    """Mean distance of outcomes from the means of their samples, over the distance that the samples promise.

    Distances are absolute, in standard deviations of the sample: less than squares they depend on single outcomes. A
    true sample and its outcome are exchangeable, so each member held against the others shows what is to be expected,
    tails included. The ratio to it is taken for gamma distributed with the variance that the members have, as by
    Satterthwaite (1946) for squares; so the interval holds for few origins, too.

    Args:
        sample: (K, N) universes at K origins, all of them scattered; N at least 4.
        outcomes: (K,) what followed.
        level: coverage of the interval.
        effect: design effect of the distances; see `mean_interval`.

    Returns:
        The ratio, 1 where samples are right and above where they are too narrow or off centre, with its interval; NaN
        and no bounds without origins.
    """
    members, real = np.asarray(sample, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    if not len(real):
        return Interval(math.nan, -math.inf, math.inf)
    count, away = members.shape[1], np.abs(members - members.mean(axis=1, keepdims=True))
    found = np.abs(real - members.mean(axis=1)) / members.std(axis=1, ddof=1)
    squares = (away**2).sum(axis=1, keepdims=True)
    others = (squares - away**2 * count / (count - 1)) / (count - 2)  # variance of a sample without this member
    expected = away * count / (count - 1) / np.sqrt(others)  # distance of a member from the mean of the others
    ratio = float(found.mean() / expected.mean())
    shape = len(real) / effect * float(expected.mean()) ** 2 / float(expected.var(axis=1).mean())
    high, low = (float(laws.gamma_quantile(tail, shape)) / shape for tail in (0.5 - level / 2, 0.5 + level / 2))
    return Interval(ratio, ratio / low, ratio / high if high > 0 else math.inf)


@dataclass(frozen=True)
class Exceedances:
    """Outcomes beyond a value at risk, and what two tests say of them.

    Attributes:
        probability: promised share, as near to the one asked for as the number of universes allows from below.
        count: how many there were.
        expected: how many there should be.
        kupiec: p-value of the exact binomial test that they are as frequent as promised.
        christoffersen: p-value of the likelihood-ratio test that they come independently; None where fewer than five
            are expected, or where none comes before or none after another outcome.
    """

    probability: float
    count: int
    expected: float
    kupiec: float
    christoffersen: float | None

    def to_dict(self) -> dict[str, float | None]:
        """As plain JSON."""
        return {name: plain(value) if isinstance(value, float) else value for name, value in vars(self).items()}


MIN_EXPECTED = 5.0
"""Exceedances to be expected before their independence can be tested."""


def value_at_risk_exceedances(ranks: ArrayLike, probability: float, universes: int) -> Exceedances | None:
    """Outcomes below the k-th smallest universe, k / (N + 1) being at most the probability; None where k is 0.

    Args:
        ranks: (K,) PIT values in the order of time.
        probability: 0.05 for the value at risk at 95%.
        universes: N at each origin.
    """
    numbers, k = np.asarray(ranks, dtype=np.float64), int(probability * (universes + 1) + 1e-9)
    promised = k / (universes + 1)
    return exceedances(numbers < promised, promised) if k and len(numbers) else None


def exceedances(hits: ArrayLike, probability: float) -> Exceedances:
    """Tests of value-at-risk exceedances (Kupiec 1995, in the exact binomial form; Christoffersen 1998).

    Args:
        hits: (K,) whether the outcome lay beyond the value at risk, in the order of time.
        probability: promised share of exceedances.
    """
    series = np.asarray(hits, dtype=bool)
    count, expected = int(series.sum()), len(series) * probability
    from scipy import stats  # slow to import

    kupiec = float(stats.binomtest(count, len(series), probability).pvalue)
    independence = _independence(series) if expected >= MIN_EXPECTED else None
    return Exceedances(probability, count, expected, kupiec, independence)


def _independence(series: NDArray[np.bool_]) -> float | None:
    """Likelihood ratio of first-order Markov hits against independent ones, chi-square with one degree of freedom."""
    before, after = series[:-1], series[1:]
    n01, n11 = int((~before & after).sum()), int((before & after).sum())
    n00, n10 = int((~before & ~after).sum()), int((before & ~after).sum())
    if n01 + n11 == 0 or n10 + n11 == 0:
        return None
    alike = _bernoulli(n01 + n11, n00 + n10)
    apart = _bernoulli(n01, n00) + _bernoulli(n11, n10)
    return laws.chi_square_tail(max(0.0, 2.0 * (apart - alike)), 1)


def _bernoulli(hits: int, misses: int) -> float:
    """Log-likelihood at its maximum."""
    total = hits + misses
    return sum(count * math.log(count / total) for count in (hits, misses) if count)
