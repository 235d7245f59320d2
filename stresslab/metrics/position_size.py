"""How large a strategy can be traded: growth, losses and ruin over multiples of its size.

It knows what accounts earned bar by bar at size 1. Whether an edge stands in those returns is decided where they come
from. T is bars, N universes, S sizes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stresslab.core.randomness import Stream, numpy_generator
from stresslab.metrics.distribution import Interval, wilson

FloatArray = NDArray[np.float64]

SIZES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
"""Multiples of the size that are looked at by default."""
GRID, RESAMPLES = 21, 1000
"""Sizes on which growth is looked at for its peak, twice, and resamples behind its interval."""
_RUINED = 1e12
"""Stands for an infinite loss of log growth, so that means stay numbers."""


@dataclass(frozen=True, eq=False)
class SizedReturns:
    """What N accounts earn at size 1, and what the size changes.

    Attributes:
        returns: (T, N) bar returns at size 1, net of costs; costs grow with the size.
        position: (T, N) signed fraction of equity held over each bar at size 1.
        periods_per_year: bars in a year.
        borrow_rate: interest a year on what is held beyond the equity.
        worst: (T, N) least equity inside each bar over that at its beginning, less 1; the close's where it is None.
        maintenance: share of the value held that equity must exceed inside each bar, or the lender closes the position.
        most_leverage: most that may be held over equity; a size that asks for more is cut to it.
    """

    returns: FloatArray
    position: FloatArray
    periods_per_year: float
    borrow_rate: float = 0.0
    worst: FloatArray | None = None
    maintenance: float = 0.0
    most_leverage: float = math.inf

    @classmethod
    def of(
        cls,
        equity: ArrayLike,
        position: ArrayLike,
        periods_per_year: float,
        low: ArrayLike | None = None,
        **credit: float,
    ) -> SizedReturns:
        """From equity (T+1, N), row 0 the initial capital, and where known the least inside bars (T, N).

        After a ruin nothing is earned.
        """
        values = np.asarray(equity, dtype=np.float64)
        alive = values[:-1] > 0

        def over_start(ends: FloatArray) -> FloatArray:
            return np.divide(ends, values[:-1], out=np.ones_like(ends), where=alive) - 1.0

        returns = over_start(values[1:])
        worst = None if low is None else np.minimum(over_start(np.asarray(low, dtype=np.float64)), returns)
        return cls(returns, np.asarray(position, dtype=np.float64), periods_per_year, worst=worst, **credit)

    def equity(self, size: float) -> FloatArray:
        """Equity (T+1, N) in units of the initial capital when every position is `size` times as large.

        E_t = E_(t-1) (1 + m r_t - b (max(0, m |w_t| - 1) - max(0, |w_t| - 1)) / P), with m the size, cut to
        `most_leverage` / |w_t|: positions are rebalanced to the multiple at each bar, as the strategy's own are. An
        account that is called or loses all ends there, see `calls`.
        """
        return self.simulate(size)[0]

    def calls(self, size: float) -> NDArray[np.bool_]:
        """Whether each account (N,) meets a margin call at this size."""
        return self.simulate(size)[1]

    def simulate(self, size: float) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Equity (T+1, N), and which accounts the lender closes (N,).

        Inside the bar equity falls to 1 + m v of that at its beginning, v being `worst`, and the value held moves to
        m (|w| + sign(w) v). Where equity is then at most `maintenance` times that value, the lender closes the position
        there, and the account stays as it is. Equity below zero is zero: nothing is owed.
        """
        weight = np.abs(self.position)
        scale = np.minimum(
            size, np.divide(self.most_leverage, weight, out=np.full_like(weight, np.inf), where=weight > 0)
        )
        borrowed = np.maximum(scale * weight - 1.0, 0.0) - np.maximum(weight - 1.0, 0.0)
        growth = 1.0 + scale * self.returns - self.borrow_rate / self.periods_per_year * np.maximum(borrowed, 0.0)
        worst = np.minimum(self.returns, 0.0) if self.worst is None else self.worst
        inside, value = 1.0 + scale * worst, scale * (weight + np.sign(self.position) * worst)
        called = (weight > 0) & (inside <= self.maintenance * np.maximum(value, 0.0))
        ended = called | (growth <= 0.0)
        steps = len(growth)
        first = np.where(ended.any(axis=0), ended.argmax(axis=0), steps)  # (N,)
        at = np.arange(steps)[:, None]
        growth = np.where(called & (at == first), np.minimum(inside, growth), growth)
        path = np.cumprod(np.where(at <= first, np.maximum(growth, 0.0), 1.0), axis=0)
        closed = called[np.minimum(first, steps - 1), np.arange(len(first))] & (first < steps)
        return np.concatenate([np.ones((1, path.shape[1])), path]), closed


@dataclass(frozen=True)
class SizeOutcome:
    """What a size brings over the horizon.

    Attributes:
        size: multiple of the strategy's own size.
        growth: mean log growth a year; minus infinity where a universe is ruined.
        median_return: median total return.
        loss: P(total return < 0).
        drawdown: P(drawdown deeper than the limit asked for, or a margin call).
        ruin: P(equity reaches zero).
        margin_call: P(the lender closes the position, or all is lost inside a bar).
    """

    size: float
    growth: float
    median_return: float
    loss: Interval
    drawdown: Interval
    ruin: Interval
    margin_call: Interval


def size_outcomes(
    accounts: SizedReturns, depth: float, sizes: Sequence[float] = SIZES, level: float = 0.95
) -> list[SizeOutcome]:
    """What each size brings, in the same universes.

    Args:
        accounts: at size 1.
        depth: drawdown whose probability is counted, a positive fraction.
        sizes: multiples.
        level: coverage of the intervals.
    """
    return [_outcome(accounts, float(size), depth, level) for size in sizes]


def _outcome(accounts: SizedReturns, size: float, depth: float, level: float) -> SizeOutcome:
    equity, called = accounts.simulate(size)
    count, final = equity.shape[1], equity[-1]
    deepest = (1.0 - equity / np.maximum.accumulate(equity, axis=0)).max(axis=0)
    return SizeOutcome(
        size=size,
        growth=_growth(accounts, size),
        median_return=float(np.median(final)) - 1.0,
        loss=wilson(int((final < 1.0).sum()), count, level),
        drawdown=wilson(int(((deepest > depth) | called).sum()), count, level),
        ruin=wilson(int((final <= 0.0).sum()), count, level),
        margin_call=wilson(int(called.sum()), count, level),
    )


def _growth(accounts: SizedReturns, size: float) -> float:
    """Mean over universes of the log growth, a year (Kelly 1956)."""
    return float(_log_growths(accounts, size).mean()) * accounts.periods_per_year / len(accounts.returns)


@dataclass(frozen=True)
class LargestSize:
    """The largest size that keeps a probability within its limit.

    Attributes:
        size: largest size whose estimated probability is within the limit; 0.0 where none is.
        low: largest size whose upper end is.
        high: largest size whose lower end is: the limit itself where every size looked at passes.
        limited: whether some size looked at breaks the limit; otherwise larger ones may pass as well.
    """

    size: float
    low: float
    high: float
    limited: bool


def largest_size(accounts: SizedReturns, depth: float, share: float, most: float = 10.0) -> LargestSize:
    """The largest size at which P(drawdown > depth) is at most `share`.

    A drawdown deepens with the size in every universe where each bar's loss grows with it, so the size is found by
    bisection among thousandths.

    Args:
        accounts: at size 1.
        depth: positive fraction.
        share: most that the probability may be.
        most: largest size looked at.
    """

    def passes(size: float) -> tuple[bool, bool, bool]:
        found = _outcome(accounts, size, depth, 0.95).drawdown
        return found.value <= share, found.high <= share, found.low <= share

    def search(which: int) -> float:
        if passes(most)[which]:
            return most
        low, high = 0, math.ceil(1000 * most)  # thousandths, so that what is returned has been looked at
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if passes(middle / 1000)[which] else (low, middle)
        return low / 1000

    size, low, high = (search(which) for which in range(3))
    return LargestSize(size, low, high, limited=size < most)


@dataclass(frozen=True)
class KellySize:
    """The size of largest mean log growth, 0 where no size grows, with a bootstrap interval over universes."""

    size: float
    low: float
    high: float


def kelly_size(accounts: SizedReturns, most: float = 10.0, seed: int = 0, level: float = 0.95) -> KellySize:
    """The size of largest mean log growth over all bars of all universes (Kelly 1956; Thorp 2006).

    Log growth is close to linear in the edge, so a spread of edges around the same mean hardly changes this size
    (Browne & Whitt 1996): estimation error enters through the mean, which a posterior draws towards zero, and through
    limits on drawdowns, which a spread does tighten. Growth is looked at on `GRID` sizes up to `most`, on as many
    around the best of these, and between three neighbours by the parabola through them; a size that ruins a universe
    has none. The interval is a percentile one, from `RESAMPLES` resamples of the universes (Efron & Tibshirani 1993,
    section 13.3).

    Args:
        accounts: at size 1.
        most: largest size looked at.
        seed: of the resamples.
        level: coverage of the interval.
    """
    coarse = np.linspace(0.0, most, GRID)
    known = {float(size): _log_growths(accounts, float(size)) for size in coarse}
    best, step = max(known, key=lambda size: float(known[size].mean())), most / (GRID - 1)
    fine = np.linspace(max(best - step, 0.0), min(best + step, most), GRID)
    known |= {float(size): _log_growths(accounts, float(size)) for size in fine if float(size) not in known}
    sizes = np.array(sorted(known))
    growth = np.stack([known[float(size)] for size in sizes])  # (S, N)
    growth = np.where(np.isfinite(growth), growth, -_RUINED)
    count = growth.shape[1]
    drawn = (
        numpy_generator(seed, Stream.KELLY).multinomial(count, np.full(count, 1.0 / count), RESAMPLES) / count
    )  # (B, N)
    found = [_peak(sizes, growth.mean(axis=1)), *(_peak(sizes, row) for row in drawn @ growth.T)]
    low, high = np.quantile(found[1:], [0.5 - level / 2, 0.5 + level / 2])
    return KellySize(round(found[0], 3), round(float(low), 3), round(float(high), 3))


def _log_growths(accounts: SizedReturns, size: float) -> FloatArray:
    """Log of final equity (N,), minus infinity where all is lost."""
    final = accounts.equity(size)[-1]
    return np.asarray(np.log(final, out=np.full_like(final, -np.inf), where=final > 0))


def _peak(sizes: FloatArray, growth: FloatArray) -> float:
    """Where a curve of growth is highest, by the parabola through the best point and its neighbours."""
    best = int(np.argmax(growth))
    if not 0 < best < len(sizes) - 1:
        return float(sizes[best])
    (x, y, z), (left, middle, right) = sizes[best - 1 : best + 2], growth[best - 1 : best + 2]
    if min(left, right) < -_RUINED / 1e6:
        return float(y)
    up, down = (middle - left) / (y - x), (right - middle) / (z - y)  # slopes on both sides
    if up <= down:
        return float(y)
    return float(np.clip((x + y) / 2 + up / (up - down) * (z - x) / 2, x, z))
