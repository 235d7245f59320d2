"""Timing: what a strategy gains by when it is exposed, beyond how much it is exposed on average.

It knows positions and the returns that they earned, in universes, on one real series and at many real origins. Others
compute these; `stresslab.analysis.edge` draws the conclusion.

T is bars, N universes, K origins; returns are simple returns a bar, positions signed fractions of equity. Of a market
positions and returns have the symbols on a third axis, and their gains are added up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from stresslab.core.arrays import FloatArray
from stresslab.core.plain_json import plain
from stresslab.metrics.distribution import LEVEL, Interval
from stresslab.metrics.edge_posterior import Spells
from stresslab.metrics.laws import skewness, student_quantile, student_tail

_ROUNDING = 1e-12
"""Timing that varies less than this, as a share of what positions times returns add up to, is rounding."""
COSINES = 16
"""B of a long-run variance: what takes an eighth of the series or longer is seen as a spell."""


@dataclass(frozen=True)
class Timing:
    """Timing over a horizon with its error, from independent paths.

    Attributes:
        total: mean over paths of the sum over bars, as a fraction of equity, with its interval.
        sharpe: the same as an annual Sharpe ratio, with its interval; NaN where nothing was timed.
        p_value: one-sided, that the mean is at most zero; 1 where nothing was timed.
        timed: whether any path's exposure differed from the others' at any bar; without that there is no timing.
        paths: how many independent paths.
    """

    total: Interval
    sharpe: Interval
    p_value: float
    timed: bool
    paths: int

    def to_dict(self) -> dict[str, object]:
        """As plain JSON."""
        return {
            "total": self.total.to_dict(),
            "sharpe": self.sharpe.to_dict(),
            "p_value": plain(self.p_value),
            "timed": self.timed,
            "paths": self.paths,
        }


def position_returns(opens: ArrayLike, closes: ArrayLike) -> FloatArray:
    """What a position held over each bar earns: from the open that fills it to the next open.

    What is decided at the close of bar t-1 fills at the open of bar t and can change at the open of bar t+1, so it
    earns open_{t+1} / open_t - 1, the gap after the bar included; no position earns the gap before the first bar. The
    last position is closed at the last close and earns close_T / open_T - 1. Without costs, and without stops that
    leave inside a bar, final over initial equity is then the product over bars of 1 + position times this.

    Args:
        opens: (T, N) prices.
        closes: (T, N) prices.

    Returns:
        (T, N) simple returns.
    """
    first, last = np.asarray(opens, dtype=np.float64), np.asarray(closes, dtype=np.float64)
    return np.concatenate([first[1:], last[-1:]]) / first - 1.0


def timing(position: ArrayLike, returns: ArrayLike, periods_per_year: float, level: float = LEVEL) -> Timing:
    """Timing in N universes of one history: the mean over universes of sum_t w_t (r_t - rbar_t).

    rbar_t is the mean return over universes at lead t. Where returns differ from rbar_t by martingale differences, no
    position that was decided before the bar gains by this on average, whatever its exposure and however it reacts to
    the path. The mean equals that of the doubly centred z_i = sum_t (w_t - wbar_t)(r_t - rbar_t), which is the
    influence of universe i on it (a sum of covariances); its standard error is therefore that of z_i, not that of the
    sums above, whose spread also holds the common exposure wbar times the path's return. Universes are independent
    given the history, so each is one cluster: dependence over the bars of a path needs no assumption.

    The market is not in this: more universes make the error small and say nothing about what their generator got wrong.

    Args:
        position: (T, N) w, held over each bar, as decided before it.
        returns: (T, N) r, as from `position_returns`.
        periods_per_year: bars in a year.
        level: coverage of the intervals.

    Returns:
        Timing over the horizon; covariances divide by N - 1, so that estimating rbar costs no bias.
    """
    held, earned = np.asarray(position, dtype=np.float64), np.asarray(returns, dtype=np.float64)
    count = held.shape[1]
    tilts = held - held.mean(axis=1, keepdims=True)
    gains = over_symbols(tilts * (earned - earned.mean(axis=1, keepdims=True))).sum(axis=0)  # (N,)
    size = float(np.abs(held * earned).sum() / count)
    return _mean_timing(gains * count / max(count - 1, 1), len(held), periods_per_year, level, size)


def origin_timing(
    position: ArrayLike,
    returns: ArrayLike,
    expected_position: ArrayLike,
    expected_returns: ArrayLike,
    periods_per_year: float,
    level: float = LEVEL,
) -> Timing:
    """Timing on what really followed K origins, at least a horizon apart: each origin is one cluster.

    Position and return are taken against what the generator's universes of the same origin had at that lead on average,
    so that constant exposure earns nothing, whatever the market did. What is left of a drift that the generator did not
    foresee, over all origins alike, is removed by centring over origins and bars.

    Args:
        position: (T, K) held on the real bars after each origin.
        returns: (T, K) real returns, as from `position_returns`.
        expected_position: (T, K) mean over that origin's universes.
        expected_returns: (T, K) mean over that origin's universes.
        periods_per_year: bars in a year.
        level: coverage of the intervals.
    """
    tilts = np.asarray(position, dtype=np.float64) - np.asarray(expected_position, dtype=np.float64)
    surprises = np.asarray(returns, dtype=np.float64) - np.asarray(expected_returns, dtype=np.float64)
    gains = over_symbols((tilts - tilts.mean()) * (surprises - surprises.mean())).sum(axis=0)  # (K,)
    size = float(np.abs(np.asarray(position) * np.asarray(returns)).sum() / tilts.shape[1])
    return _mean_timing(gains, len(tilts), periods_per_year, level, size)


def over_symbols(gains: FloatArray) -> FloatArray:
    """Gains (T, N) of all symbols together, where a third axis (T, N, K) tells them apart."""
    return np.asarray(gains.sum(axis=-1)) if gains.ndim == 3 else gains


def _of_series(gains: FloatArray) -> FloatArray:
    """Gains (T,) of one series, of all symbols (T, K) together."""
    return np.asarray(gains.sum(axis=-1)) if gains.ndim == 2 else gains


def _mean_timing(gains: FloatArray, bars: int, periods_per_year: float, level: float, size: float) -> Timing:
    """Interval and test of the mean of independent gains (n,), and the Sharpe ratio that they amount to.

    Gains are skewed: to the right for a rule that follows moves, to the left for a rule that fades them. So the
    studentised mean is transformed by Hall's cubic before Student's table is asked.
    """
    count, mean = len(gains), float(gains.mean())
    spread = float(gains.std(ddof=1)) if count > 2 else 0.0  # doubly centred, two gains are always equal
    unknown = Interval(math.nan, -math.inf, math.inf)
    if np.abs(gains).max() <= _ROUNDING * size:
        return Timing(Interval(0.0, 0.0, 0.0), unknown, 1.0, False, count)
    if spread <= _ROUNDING * size:
        return Timing(Interval(mean, -math.inf, math.inf), unknown, 1.0, True, count)
    error, skew = spread / math.sqrt(count), skewness(gains) / math.sqrt(count)
    far = student_quantile(0.5 + level / 2, count - 1)
    low, high = mean - error * _unskewed_inverse(far, skew), mean - error * _unskewed_inverse(-far, skew)
    p_value = student_tail(_unskewed(mean / error, skew), count - 1)
    ratio = math.sqrt(periods_per_year / bars) / spread
    return Timing(Interval(mean, low, high), Interval(mean * ratio, low * ratio, high * ratio), p_value, True, count)


def _unskewed(t: float, skew: float) -> float:
    """Hall's cubic (Hall 1992, "On the removal of skewness by transformation"): a monotone function of t.

    The studentised mean of a skewed sample is skewed the other way, to the order of `skew`; its transform is not.

    Args:
        t: mean over its standard error.
        skew: skewness of the sample over the root of its size.
    """
    return t + skew * t**2 / 3 + skew**2 * t**3 / 27 + skew / 6


def _unskewed_inverse(g: float, skew: float) -> float:
    """The t at which `_unskewed` is g."""
    if abs(skew) < 1e-8:
        return g
    return 3 / skew * (float(np.cbrt(1 + skew * (g - skew / 6))) - 1)


@dataclass(frozen=True)
class GainsVariance:
    """How much less certain an edge of the measured size makes its own estimate.

    Attributes:
        spells: that it comes in.
        inflation: r, the standard error of the ratio over the one without an edge.
    """

    spells: Spells = field(default_factory=Spells)
    inflation: float = 1.0


def gains_variance(position: ArrayLike, returns: ArrayLike) -> GainsVariance:
    """Spells in the gains of `series_timing`, and what they and moving volatility add to its standard error.

    With y_t = z_t over the root mean square of z, and x the mean of y,
    r^2 = B / (B - 2) (max(1, v(y)) + (x / 2)^2 v(y^2)), where v(u) is the mean of the squares of
    sqrt(2 / T) sum_t u_t cos(pi b (t - 1/2) / T) over b = 1 ... B: a long-run variance from the B slowest cosines
    (Mueller 2007; Lazarus, Lewis, Stock & Watson 2018). The first term is above 1 where gains come in spells, as those
    of a rule that follows a slow trend. The second one is the delta method's for the root mean square that the ratio is
    divided by, which is uncertain where volatility clusters (Lo 2002; Ledoit & Wolf 2008). Their covariance is left
    out: it would grow with the edge, not with its square. B / (B - 2) is the variance of Student's t, since so few
    cosines leave the variance itself uncertain.

    Args:
        position: (T,) held over each bar; of a market (T, K).
        returns: (T,), as from `position_returns`; likewise.

    Returns:
        Ones where nothing was timed or there are fewer than 2 B bars.
    """
    held, earned = np.asarray(position, dtype=np.float64), np.asarray(returns, dtype=np.float64)
    gains = _of_series((held - held.mean(axis=0)) * (earned - earned.mean(axis=0)))
    size = math.sqrt(float((gains**2).mean()))
    if size <= 0 or len(gains) < 2 * COSINES:
        return GainsVariance()
    unit = gains / size
    spells, squares = _long_run_variance(unit), _long_run_variance(unit**2)
    at_estimate = max(1.0, spells) + (float(unit.mean()) / 2) ** 2 * squares
    inflation = math.sqrt(COSINES / (COSINES - 2) * at_estimate)
    return GainsVariance(Spells(spells, 2 * len(gains) / COSINES), inflation)


def _long_run_variance(series: FloatArray) -> float:
    """Long-run variance of a series (T,) from its `COSINES` slowest cosines, which have no weight on its mean."""
    at = (np.arange(len(series)) + 0.5) / len(series)
    waves = np.cos(math.pi * np.arange(1, COSINES + 1)[:, None] * at)  # (B, T)
    return float(((waves @ (series - series.mean())) ** 2).mean()) * 2 / len(series)


def series_timing(position: ArrayLike, returns: ArrayLike) -> FloatArray:
    """Timing on each single series, in units of its own error: sum_t z_t over the root of sum_t z_t^2.

    z_t = (w_t - wbar)(r_t - rbar) about the means over the series' own bars. Centring by what was not yet known biases
    the sum (a rule that follows the past of a series with a given mean must bet against its future), which is why it is
    compared with the same statistic on permuted bars and not with a table. Dividing by its own error makes that
    comparison hold where volatility clusters, which permutation destroys: both sides are then standard normal in the
    limit (DiCiccio & Romano 2017, on permutation tests of correlation; Romano & Tirlea 2022, on dependent series).

    Args:
        position: (T, N) held over each bar.
        returns: (T, N), as from `position_returns`.

    Returns:
        (N,) ratios; 0 where exposure or returns do not vary, so that nothing was timed.
    """
    held, earned = np.asarray(position, dtype=np.float64), np.asarray(returns, dtype=np.float64)
    gains = over_symbols((held - held.mean(axis=0)) * (earned - earned.mean(axis=0)))  # (T, N)
    errors = np.sqrt((gains**2).sum(axis=0))
    nothing = errors <= _ROUNDING * np.sqrt((over_symbols(held * earned) ** 2).sum(axis=0))
    return np.asarray(np.where(nothing, 0.0, gains.sum(axis=0) / np.where(nothing, 1.0, errors)), dtype=np.float64)
