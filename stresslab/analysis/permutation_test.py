"""Timing of a strategy's accounts: in universes, and on real bars against permutations of them.

It runs the strategy and applies the formulas of `metrics.market_timing`; `analysis.edge` draws the conclusion.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from stresslab.backtest import Backtest, Terms, backtest
from stresslab.backtest.result import JointBacktest
from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError
from stresslab.core.parallel import chunks, map_chunks, worth_processes
from stresslab.core.plain_json import plain
from stresslab.data.bars import CLOSE, OPEN, Bars
from stresslab.data.market_index import IndexUniverses
from stresslab.data.universes import Universes
from stresslab.generators.permutation import PERMUTATIONS as KEPT
from stresslab.metrics.distribution import Interval
from stresslab.metrics.laws import normal_quantile
from stresslab.metrics.market_timing import (
    GainsVariance,
    Timing,
    gains_variance,
    position_returns,
    series_timing,
    timing,
)
from stresslab.metrics.multiple_testing import permutations_needed
from stresslab.strategy import CallLog, Strategy

PERMUTATIONS = 999
STOP = 50
"""Permutations at least as good as reality after which there is no need for more."""
SIZE = 0.05
"""Of the test: each tail of the interval holds this much, so that it excludes 0 where the p-value is below."""
AFFORDED = 20_000_000
"""Permuted bars of a test; on series so long that it would be more, it makes fewer permutations and stops earlier."""
LONGEST = 500_000
"""Latest real bars that are tested, a year of minutes around the clock: beyond that a test takes hours."""
DECIDING = 5
"""Times the permutations that a test at its size needs at least, which it makes on however long a series."""
_BARS_AT_ONCE = 500_000
_MOST_BARS_AT_ONCE = 2_000_000
"""Bars of a piece, at most, where one permutation is not longer already: they take about half a gigabyte."""
_CALLS_AT_ONCE = 10
"""Permutations in a piece, at least, and at most where each is a call of its own."""
_PIECES_AHEAD = 4
"""Pieces of such calls that a process is given at once: what a stop makes needless is little beside the waiting."""


@dataclass(frozen=True)
class Permutations:
    """How many permutations a test makes, and from which random numbers.

    Attributes:
        most: m at most.
        stop: permutations at least as good as reality at which it ends.
        trials: that the strategy is the best of, an effective number.
        seed: of the permutations.
    """

    most: int = PERMUTATIONS
    stop: int = STOP
    trials: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.most < 1 or self.stop < 1:
            raise InputError(
                f"permutations={self.most} with stop={self.stop} prove nothing; give for example 999 and 50"
            )

    def affordable(self, bars: int) -> Permutations:
        """As many of so many bars as are made at most, and at how many as good as reality they end."""
        if bars * self.most <= AFFORDED:
            return self
        least = DECIDING * permutations_needed(SIZE, self.trials)
        most = min(self.most, max(least, AFFORDED // bars))
        stop = min(self.stop, max(STOP // 5, self.stop * AFFORDED // (bars * self.most)))
        return replace(self, most=most, stop=stop)


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
        error: standard error of that ratio without an edge, from the spread over permutations; NaN where nothing was
            timed.
        gains: spells in the gains, and by how much the error grows with them at the estimate.
    """

    p_value: float
    statistic: float
    sharpe: Interval
    permutations: int
    bars: int
    timed: bool
    error: float = math.nan
    gains: GainsVariance = field(default_factory=GainsVariance)

    def to_dict(self) -> dict[str, object]:
        """As plain JSON."""
        return {
            "p_value": plain(self.p_value),
            "statistic": plain(self.statistic),
            "sharpe": self.sharpe.to_dict(),
            "permutations": self.permutations,
            "bars": self.bars,
            "timed": self.timed,
            "error": plain(self.error),
            "inflation": plain(self.gains.inflation),
            "spells": plain(self.gains.spells.variance),
        }


def positions_and_returns(account: Backtest, universes: Universes) -> tuple[FloatArray, FloatArray]:
    """What was held over each bar and what a full position earned over it (T, N); the accounts are those universes'.

    Of a market (T, N, K), by symbol.
    """
    if isinstance(universes, IndexUniverses):
        assert isinstance(account, JointBacktest)
        opens, closes = (universes.symbols[..., field].transpose(2, 0, 1) for field in (OPEN, CLOSE))  # (T, N, K)
        return np.asarray(account.positions.transpose(1, 2, 0)), position_returns(opens, closes)
    values = universes.values
    returns = position_returns(values[:, :, OPEN].T, values[:, :, CLOSE].T)
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
    permutations: Permutations = Permutations(),
    *,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> RealBars:
    """Whether a strategy times real bars better than the same bars in random order (after Masters 2020).

    The whole strategy is run again on each permutation, so that indicators see permuted bars only. The p-value is
    (b + 1) / (m + 1) with b of m permutations at least as good (Phipson & Smyth 2010): the real order is one of the
    possible ones, so it is never 0. Where b reaches `stop` before m permutations are made, no more are needed and it is
    b / m of those made, which is exact as well (Besag & Clifford 1991). A permutation on which the strategy's code
    fails counts as one as good.

    The work grows with the bars. Of more than `LONGEST` bars the last ones are tested. On a series on which m
    permutations would be more than `AFFORDED` bars, as many are made as that affords, but at least `DECIDING` times
    those without which the best of so many trials cannot reach `SIZE`; and `stop` shrinks in proportion, to a fifth at
    most. Both are set before the first one is drawn, so that the p-value stays exact: it is coarser, where a long
    series makes the evidence sharper anyway.

    Args:
        strategy: decides again on every permutation.
        bars: real bars; those of the warm-up stay as they are.
        terms: of the accounts; timing is measured before costs.
        permutations: how many, and their seed.
        jobs: processes.
        progress: called with the number of permutations newly made.
    """
    terms, bars = terms or Terms(), bars[max(0, len(bars) - LONGEST) :]
    warm = max(1, min(terms.warmup, len(bars) // 2))
    real = Universes.from_bars(bars[warm:], bars[:warm])
    held, earned = positions_and_returns(backtest(strategy, real, terms), real)
    statistic = float(series_timing(held, earned)[0])
    steps, timed = real.horizon, bool(np.ptp(held) > 1e-12)
    if not timed:
        return RealBars(1.0, 0.0, Interval(math.nan, -math.inf, math.inf), 0, steps, False)
    permutations = permutations.affordable(steps)
    work = _Permuted(strategy, bars, terms, warm, permutations.seed)
    pieces = chunks(np.arange(permutations.most, dtype=np.int64), _piece(strategy, steps))
    drawn: list[float] = []
    for piece in _in_order(work, pieces, jobs):
        drawn.extend(piece)
        if progress is not None:
            progress(len(piece))
        if np.sum(np.array(drawn) >= statistic) >= permutations.stop:
            break  # after whole pieces, so that what is reported does not depend on the number of processes
    p_value, made = sequential_p_value(np.array(drawn) >= statistic, permutations.stop)
    sharpe, error = beyond_chance(statistic, np.array(drawn), math.sqrt(bars.periods_per_year / steps))
    return RealBars(p_value, statistic, sharpe, made, steps, True, error, gains_variance(held[:, 0], earned[:, 0]))


def beyond_chance(statistic: float, drawn: FloatArray, yearly: float) -> tuple[Interval, float]:
    """The annual Sharpe ratio of timing beyond the mean of the permutations (m,), with its interval and its error."""
    finite = drawn[np.isfinite(drawn)]
    centre = float(np.mean(finite)) if len(finite) else math.nan
    spread = float(np.std(finite, ddof=1)) if len(finite) > 1 else math.nan
    centred, half = statistic - centre, float(normal_quantile(1 - SIZE)) * spread
    return Interval(centred * yearly, (centred - half) * yearly, (centred + half) * yearly), spread * yearly


def _piece(strategy: Strategy, steps: int) -> int:
    """Permutations at a time, of so many bars."""
    wanted = _CALLS_AT_ONCE if strategy.one_by_one else max(_CALLS_AT_ONCE, _BARS_AT_ONCE // steps)
    return min(wanted, max(1, _MOST_BARS_AT_ONCE // steps))


@dataclass(frozen=True)
class _Permuted:
    """The statistic on some permutations, by their ids."""

    strategy: Strategy
    bars: Bars
    terms: Terms
    warm: int
    seed: int

    def __call__(self, ids: NDArray[np.int64]) -> list[float]:
        """One number for each id, infinite where the strategy's code failed."""
        universes, strategy = KEPT.of(self.bars, self.warm, ids, self.seed), replace(self.strategy, log=CallLog())
        account = backtest(strategy, universes, self.terms, periods_per_year=self.bars.periods_per_year)
        found = series_timing(*positions_and_returns(account, universes))
        return [float(value) for value in np.where(np.isin(ids, list(strategy.log.failures)), np.inf, found)]


def _in_order(work: _Permuted, pieces: list[NDArray[np.int64]], jobs: int) -> Iterator[list[float]]:
    """What the pieces give, in their order; the first is done here, and others elsewhere where they take long."""
    started = time.perf_counter()
    yield work(pieces[0])
    rest = pieces[1:]
    if not worth_processes((time.perf_counter() - started) * len(rest), jobs):
        jobs = 1
    together = jobs * _PIECES_AHEAD if jobs > 1 and work.strategy.one_by_one else jobs
    for start in range(0, len(rest), together):
        batch = dict(map_chunks(work, rest[start : start + together], jobs=jobs))
        yield from (batch[position] for position in sorted(batch))


def sequential_p_value(exceeded: NDArray[np.bool_], stop: int) -> tuple[float, int]:
    """The p-value of a Monte Carlo test that may stop early (Besag & Clifford 1991), and the draws that it used.

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
