"""Selection: what a Sharpe ratio is worth that was the best of many, and whether anything beats buy and hold at all.

Formulas on real returns of strategies that were tried; callers say which were tried, and how often.

T is bars, M trials. Sharpe ratios here are those of one bar, not of a year, and kurtosis is raw: 3 for the normal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError
from stresslab.core.plain_json import plain
from stresslab.metrics import laws

SPLITS = 16
"""Blocks that the returns are cut into for the probability of backtest overfitting: 12,870 ways to halve them."""
_AT_ONCE = 2_000_000


def sharpe_of(returns: ArrayLike) -> FloatArray:
    """Mean over standard deviation (ddof 1) of the bar returns (T, M) of each trial; NaN where they do not vary."""
    numbers = np.asarray(returns, dtype=np.float64)
    spread = numbers.std(axis=0, ddof=1)
    varies = spread > 1e-12 * np.abs(numbers).max(axis=0, initial=0.0)
    return np.asarray(np.where(varies, numbers.mean(axis=0) / np.where(varies, spread, 1.0), np.nan))


def probabilistic_sharpe(
    sharpe: float, benchmark: float, bars: int, skewness: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Probability that the true Sharpe ratio is above a benchmark (Bailey & Lopez de Prado 2012).

    Phi((SR - SR*) sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)).

    Args:
        sharpe: SR, of one bar.
        benchmark: SR*, of one bar.
        bars: n, how many returns it was computed from.
        skewness: g3 of the returns.
        kurtosis: g4, raw: 3 for normal returns.

    Returns:
        NaN for fewer than 2 bars, or moments that no distribution has.
    """
    variance = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if bars < 2 or not variance > 0:
        return math.nan
    return float(laws.normal_cdf((sharpe - benchmark) * math.sqrt((bars - 1) / variance)))


def expected_maximum_sharpe(trials: float, variance: float) -> float:
    """Expected best Sharpe ratio of independent trials without any skill (Bailey & Lopez de Prado 2014).

    sqrt(V) ((1 - g) Phi^-1(1 - 1 / M) + g Phi^-1(1 - 1 / (M e))), g the Euler-Mascheroni constant.

    Args:
        trials: M, at least 1; an effective number may be fractional.
        variance: V, of the trials' Sharpe ratios of one bar.

    Returns:
        0 for a single trial.
    """
    if trials < 1:
        raise InputError(f"trials={trials} is below 1; count every variant that was tried, the chosen one included")
    if trials == 1:
        return 0.0
    gamma = float(np.euler_gamma)
    normal = (1 - gamma) * laws.normal_quantile(1 - 1 / trials) + gamma * laws.normal_quantile(
        1 - 1 / (trials * math.e)
    )
    return max(0.0, float(math.sqrt(variance) * normal))


def effective_trials(returns: ArrayLike, benchmark: ArrayLike | None = None) -> float:
    """How many independent trials M correlated ones amount to: (sum sqrt(l))^2 / sum l (Galwey 2009), or more.

    l are the eigenvalues of the correlation matrix c of their returns: M for uncorrelated trials, 1 for copies of one,
    k for k unrelated families of as many copies each. A family far larger than the others would hide them; so it is the
    sum over trials of 1 / sum_j c_ij^2 where that is more (as linkage disequilibrium is counted; Bulik-Sullivan et al.
    2015), which is k however many copies each has. Between these it errs to the side of more trials, as tests that
    correct for selection by it should: Sidak's correction with it was measured to reject at or below its nominal 5%.

    What is searched for is skill on one side, so a rule and its opposite are two trials: correlations below 0 count as
    none. And it is skill beyond exposure: strategies that are mostly invested look alike by what they share with the
    market, however different their timing, so that is taken out first (the residuals of a regression on it).

    Args:
        returns: (T, M) real bar returns of the trials; those that do not vary, or only with the benchmark, count as
            one trial together.
        benchmark: (T,) of buy and hold over the same bars; None where returns hold no market.
    """
    numbers = np.asarray(returns, dtype=np.float64)
    left = numbers if benchmark is None else _beside(numbers, np.asarray(benchmark, dtype=np.float64))
    varies = left.std(axis=0) > 1e-9 * np.abs(numbers).max(axis=0, initial=0.0)
    idle = float(not varies.all())
    if varies.sum() < 2:
        return max(1.0, float(varies.sum()) + idle)
    correlations = np.clip(np.corrcoef(left[:, varies], rowvar=False), 0.0, None)
    values = np.clip(np.linalg.eigvalsh(correlations), 0.0, None)
    families = float((1 / (correlations**2).sum(axis=1)).sum())
    return min(max(float(np.sqrt(values).sum() ** 2 / values.sum()), families), float(varies.sum())) + idle


def _beside(returns: FloatArray, benchmark: FloatArray) -> FloatArray:
    """What returns (T, M) do beside a benchmark (T,): the residuals of a regression on it."""
    centred, market = returns - returns.mean(axis=0), benchmark - benchmark.mean()
    strength = float(market @ market)
    return np.asarray(centred if strength == 0 else centred - np.outer(market, market @ centred / strength))


def family_p_value(p_value: float, trials: float) -> float:
    """The p-value of the best of several trials, 1 - (1 - p)^M (Sidak 1967); an effective M may be fractional."""
    return float(-math.expm1(trials * math.log1p(-p_value))) if p_value < 1 else 1.0


def permutations_needed(size: float, trials: float) -> int:
    """The least number of permutations whose smallest p-value, 1 / (m + 1), is at most `size` as the best of trials.

    Args:
        size: of the test of the best of them.
        trials: how many, an effective number.
    """
    alone = -math.expm1(math.log1p(-size) / trials)
    return math.ceil(1 / alone * (1 - 1e-12)) - 1


@dataclass(frozen=True)
class Deflated:
    """A Sharpe ratio before and after what selection does to it.

    Attributes:
        sharpe: of one bar.
        probabilistic: probability that the true ratio is above 0, had this been the only trial.
        threshold: expected best ratio of as many trials without skill, of one bar.
        deflated: probability that the true ratio is above that.
        trials: how many, an effective number.
        skewness: of the returns.
        kurtosis: of the returns, raw.
    """

    sharpe: float
    probabilistic: float
    threshold: float
    deflated: float
    trials: float
    skewness: float
    kurtosis: float

    def to_dict(self) -> dict[str, float | None]:
        """As plain JSON."""
        return {name: plain(value) for name, value in vars(self).items()}


def deflated_sharpe(returns: ArrayLike, trials: float, variance: float | None = None) -> Deflated:
    """The deflated Sharpe ratio of the chosen trial (Bailey & Lopez de Prado 2014).

    Args:
        returns: (T,) its real bar returns.
        trials: how many were tried. With their variance all of them: that correlated trials spread less, the variance
            says already, and an effective number would take it off twice. Without it an effective number will do.
        variance: of the trials' Sharpe ratios of one bar; None where the others are not known: then 1 / (T - 1), what
            trials without skill have by chance over T bars.
    """
    numbers = np.asarray(returns, dtype=np.float64)
    sharpe, bars = float(sharpe_of(numbers[:, None])[0]), len(numbers)
    if math.isnan(sharpe):
        return Deflated(math.nan, math.nan, math.nan, math.nan, float(trials), math.nan, math.nan)
    skewness, kurtosis = laws.skewness(numbers), laws.kurtosis(numbers)
    threshold = expected_maximum_sharpe(trials, 1 / (bars - 1) if variance is None else variance)
    return Deflated(
        sharpe,
        probabilistic_sharpe(sharpe, 0.0, bars, skewness, kurtosis),
        threshold,
        probabilistic_sharpe(sharpe, threshold, bars, skewness, kurtosis),
        float(trials),
        skewness,
        kurtosis,
    )


@dataclass(frozen=True)
class Overfitting:
    """What cross-validation says of choosing the best of several trials.

    Attributes:
        probability: share of halvings in which the best trial of one half is at or below the median of the other.
        loss: share in which it has a negative mean there.
        slope: of the regression of its Sharpe ratio in the other half on that in its own; below 0, better is worse.
        halvings: how many ways to halve the blocks were tried.
        trials: M.
    """

    probability: float
    loss: float
    slope: float
    halvings: int
    trials: int

    def to_dict(self) -> dict[str, float | int | None]:
        """As plain JSON."""
        return {name: plain(value) if isinstance(value, float) else value for name, value in vars(self).items()}


def probability_of_overfitting(returns: ArrayLike, splits: int = SPLITS) -> Overfitting:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation (Bailey et al. 2017).

    The bars are cut into blocks; for every choice of half of them the trial with the best Sharpe ratio is looked up in
    the other half, where w = rank / (M + 1) is its relative rank; the probability is the share of logit(w) <= 0.
    About 0.5 for trials without skill, 1 where what wins in one half must lose in the other, 0 for a true winner.

    Args:
        returns: (T, M) real bar returns of at least 2 trials; the first bars are left out where T is no multiple.
        splits: blocks, an even number.
    """
    numbers = np.asarray(returns, dtype=np.float64)
    bars, trials = numbers.shape
    if splits < 2 or splits % 2 or bars < 2 * splits or trials < 2:
        raise InputError(
            f"{bars} bars of {trials} trials cannot be cut into {splits} blocks; give an even number of blocks, at "
            "least 2 trials and 2 bars a block"
        )
    size = bars // splits
    blocks = numbers[bars - size * splits :].reshape(splits, size, trials)
    blocks = blocks - blocks.mean(axis=(0, 1))  # about the mean over all, so that sums of squares keep their digits
    shift = numbers[bars - size * splits :].mean(axis=0)
    sums, squares = blocks.sum(axis=1), (blocks**2).sum(axis=1)  # (S, M)
    halves = np.zeros((math.comb(splits, splits // 2), splits))
    for row, chosen in enumerate(combinations(range(splits), splits // 2)):
        halves[row, list(chosen)] = 1.0
    count = size * splits // 2
    below, lost = 0.0, 0
    points = []
    for part in np.array_split(halves, max(1, len(halves) * trials // _AT_ONCE)):
        inside, outside = (_sharpe_of_sums(h @ sums, h @ squares, count, shift) for h in (part, 1 - part))
        best = np.argmax(inside, axis=1)
        rows = np.arange(len(part))
        found = outside[rows, best]
        rank = (outside < found[:, None]).sum(axis=1) + 0.5 * ((outside == found[:, None]).sum(axis=1) + 1)
        below += float((rank <= (trials + 1) / 2).sum())
        lost += int((found < 0).sum())
        points.append(np.column_stack([inside[rows, best], found]))
    x, y = np.concatenate(points).T
    slope = float(np.polyfit(x, y, 1)[0]) if np.ptp(x) > 0 else math.nan
    return Overfitting(below / len(halves), lost / len(halves), slope, len(halves), trials)


def _sharpe_of_sums(sums: FloatArray, squares: FloatArray, count: int, shift: FloatArray) -> FloatArray:
    """Sharpe ratios (C, M) from sums about a shift; 0 where returns do not vary."""
    mean = sums / count
    variance = np.maximum(squares - count * mean**2, 0.0) / (count - 1)
    varies = variance > 1e-24 * (shift**2 + variance.max(initial=0.0))
    return np.asarray(np.where(varies, (mean + shift) / np.sqrt(np.where(varies, variance, 1.0)), 0.0))


@dataclass(frozen=True)
class Superiority:
    """Hansen's test that no trial is better than the benchmark.

    Attributes:
        lower: p-value that is too small where bad trials are many.
        consistent: the p-value to read.
        upper: p-value of White's reality check, conservative.
        superior: positions of the trials that beat the benchmark, all of them together at that level (StepM).
        block: mean block length of the bootstrap, bars.
    """

    lower: float
    consistent: float
    upper: float
    superior: tuple[int, ...]
    block: float

    def to_dict(self) -> dict[str, object]:
        """As plain JSON."""
        named = {"lower": plain(self.lower), "consistent": plain(self.consistent), "upper": plain(self.upper)}
        return {**named, "superior": list(self.superior), "block": plain(self.block)}


def superior_ability(
    returns: ArrayLike, benchmark: ArrayLike, *, size: float = 0.05, draws: int = 1000, seed: int = 0
) -> Superiority:
    """Test of superior predictive ability (Hansen 2005) and StepM (Romano & Wolf 2005), by arch.

    Losses are negative bar returns; the stationary bootstrap keeps their dependence, with the longest of the block
    lengths that are optimal for the differences from the benchmark (Politis & White 2004).

    Args:
        returns: (T, M) real bar returns of all trials.
        benchmark: (T,) those of buy and hold over the same bars.
        size: family-wise error rate of `superior`.
        draws: bootstrap repetitions.
        seed: of the bootstrap.

    Returns:
        p-values of 1 and nothing superior where no trial ever differs from the benchmark; trials that never differ
        cannot be superior.
    """
    from arch.bootstrap import SPA, StepM, optimal_block_length

    numbers, against = np.asarray(returns, dtype=np.float64), np.asarray(benchmark, dtype=np.float64)
    gaps = numbers - against[:, None]
    differing = np.flatnonzero(gaps.std(axis=0) > 1e-12)
    if not len(differing):
        return Superiority(1.0, 1.0, 1.0, (), math.nan)
    with np.errstate(all="ignore"):
        lengths = optimal_block_length(gaps[:, differing])["stationary"].to_numpy()
    block = float(np.clip(np.nanmax(lengths, initial=1.0), 1.0, len(against) / 4))
    settings = {"block_size": math.ceil(block), "reps": draws, "bootstrap": "stationary", "seed": seed}
    test = SPA(-against, -numbers[:, differing], **settings)
    test.compute()
    steps = StepM(-against, -numbers[:, differing], size=size, **settings)
    steps.compute()
    superior = tuple(int(differing[int(place)]) for place in steps.superior_models)
    values = test.pvalues
    return Superiority(
        float(values["lower"]), float(values["consistent"]), float(values["upper"]), superior, float(math.ceil(block))
    )
