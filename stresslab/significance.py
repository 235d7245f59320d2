"""Timing of a strategy's accounts: in universes, and on real bars against permutations of them.

It runs the strategy and applies the formulas of `stresslab.statistics.timing`; what is concluded is `stresslab.edge`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from stresslab.backtest import Backtest, Terms, backtest
from stresslab.data.bars import FIELDS, Bars
from stresslab.errors import InputError
from stresslab.execution import chunks, map_chunks
from stresslab.generators.permutation import permuted_bars
from stresslab.statistics.distribution import Interval, plain
from stresslab.statistics.timing import Timing, held_returns, series_timing, timing
from stresslab.strategy import Strategy
from stresslab.universes import Universes

FloatArray = NDArray[np.float64]

PERMUTATIONS = 999
STOP = 50
"""Permutations at least as good as reality after which there is no need for more."""
_BARS_AT_ONCE = 500_000
OPEN, CLOSE = FIELDS.index("open"), FIELDS.index("close")


@dataclass(frozen=True)
class RealBars:
    """Timing on one real series against the same bars permuted.

    Attributes:
        p_value: one-sided, that timing as good comes about without any order in the bars; 1 where nothing was timed.
        statistic: timing on the real bars in units of its own error.
        sharpe: annual Sharpe ratio of timing beyond the mean of the permutations, with its central interval; NaN and
            unbounded where nothing was timed.
        permutations: how many were made.
        bars: real bars that were traded.
        timed: whether exposure varied at all.
    """

    p_value: float
    statistic: float
    sharpe: Interval
    permutations: int
    bars: int
    timed: bool

    def to_dict(self) -> dict[str, object]:
        """As plain JSON."""
        return {
            "p_value": plain(self.p_value),
            "statistic": plain(self.statistic),
            "sharpe": self.sharpe.to_dict(),
            "permutations": self.permutations,
            "bars": self.bars,
            "timed": self.timed,
        }


def positions_and_returns(account: Backtest, universes: Universes) -> tuple[FloatArray, FloatArray]:
    """What was held over each bar and what a full position earned over it (T, N); the accounts are those universes'."""
    values = universes.values
    returns = held_returns(values[:, :, OPEN].T, values[:, :, CLOSE].T)
    return np.asarray(account.position, dtype=np.float64), returns


def timing_in_universes(account: Backtest, universes: Universes, periods_per_year: float | None = None) -> Timing:
    """Timing of a strategy in the universes of one history.

    Args:
        account: of the strategy in these universes.
        universes: N universes of T bars.
        periods_per_year: bars in a year; the history's by default.
    """
    periods = periods_per_year or universes.history.periods_per_year
    return timing(*positions_and_returns(account, universes), periods)


def permutation_test(
    strategy: Strategy,
    bars: Bars,
    terms: Terms | None = None,
    *,
    permutations: int = PERMUTATIONS,
    stop: int = STOP,
    size: float = 0.05,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> RealBars:
    """Whether a strategy times real bars better than the same bars in random order.

    The whole strategy is run again on each permutation, so that indicators see permuted bars only. The p-value is
    (b + 1) / (m + 1) with b of m permutations at least as good (Phipson & Smyth 2010): the real order is one of the
    possible ones, so it is never 0. Where b reaches `stop` before m permutations are made, no more are needed and it is
    b / m of those made, which is exact as well (Besag & Clifford 1991).

    Args:
        strategy: decides anew on every permutation.
        bars: real bars; those of the warm-up stay as they are.
        terms: of the accounts; timing is measured before costs.
        permutations: m at most.
        stop: b at which to stop.
        size: the interval's two tails hold this much each, so that it excludes 0 where the p-value is below.
        seed: of the permutations.
        jobs: processes.
        progress: called with the number of permutations newly made.
    """
    if permutations < 1 or stop < 1:
        raise InputError(f"permutations={permutations} with stop={stop} prove nothing; give for example 999 and 50")
    terms = terms or Terms()
    warm = max(1, min(terms.warmup, len(bars) // 2))
    real = Universes.from_bars(bars[warm:], bars[:warm])
    held, earned = positions_and_returns(backtest(strategy, real, terms), real)
    statistic = float(series_timing(held, earned)[0])
    steps, timed = real.horizon, bool(np.ptp(held) > 1e-12)
    if not timed:
        return RealBars(1.0, 0.0, Interval(math.nan, -math.inf, math.inf), 0, steps, False)
    work = _Permuted(strategy, bars, terms, warm, seed)
    pieces = chunks(np.arange(permutations, dtype=np.int64), max(10, _BARS_AT_ONCE // steps))
    found: list[float] = []
    for start in range(0, len(pieces), jobs):
        batch = dict(map_chunks(work, pieces[start : start + jobs], jobs=jobs))
        for position in sorted(batch):
            found.extend(batch[position])
            if progress is not None:
                progress(len(batch[position]))
        if np.sum(np.array(found) >= statistic) >= stop:
            break
    p_value, made = sequential_p_value(np.array(found) >= statistic, stop)
    spread = float(np.std(found, ddof=1)) if len(found) > 1 else math.nan
    centred, half = statistic - float(np.mean(found)), float(stats.norm.ppf(1 - size)) * spread
    yearly = math.sqrt(bars.periods_per_year / steps)
    sharpe = Interval(centred * yearly, (centred - half) * yearly, (centred + half) * yearly)
    return RealBars(p_value, statistic, sharpe, made, steps, True)


@dataclass(frozen=True)
class _Permuted:
    """The statistic on some permutations, by their ids."""

    strategy: Strategy
    bars: Bars
    terms: Terms
    warm: int
    seed: int

    def __call__(self, ids: NDArray[np.int64]) -> list[float]:
        """One number for each id."""
        universes = permuted_bars(self.bars, self.warm, ids, self.seed)
        account = backtest(self.strategy, universes, self.terms, periods_per_year=self.bars.periods_per_year)
        return [float(value) for value in series_timing(*positions_and_returns(account, universes))]


def sequential_p_value(exceeded: NDArray[np.bool_], stop: int) -> tuple[float, int]:
    """The p-value of a Monte Carlo test that may stop early, and the number of draws that it used.

    Args:
        exceeded: (m,) whether each draw was at least as good as what was observed, in the order of drawing.
        stop: exceedances at which drawing ends.

    Returns:
        stop / l where the l-th draw brings that many, exact (Besag & Clifford 1991); else (b + 1) / (m + 1)
        (Phipson & Smyth 2010).
    """
    counts = np.cumsum(exceeded)
    if len(counts) and counts[-1] >= stop:
        used = int(np.searchsorted(counts, stop)) + 1
        return stop / used, used
    return (int(counts[-1] if len(counts) else 0) + 1) / (len(counts) + 1), len(counts)
