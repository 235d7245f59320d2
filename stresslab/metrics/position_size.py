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

from stresslab.metrics.distribution import Interval, wilson

FloatArray = NDArray[np.float64]

SIZES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
"""Multiples of the size that are looked at by default."""


@dataclass(frozen=True, eq=False)
class SizedReturns:
    """What N accounts earn at size 1, and what the size changes.

    Attributes:
        returns: (T, N) bar returns at size 1, net of costs; costs grow with the size.
        position: (T, N) signed fraction of equity held over each bar at size 1.
        periods_per_year: bars in a year.
        borrow_rate: interest a year on what is held beyond the equity.
    """

    returns: FloatArray
    position: FloatArray
    periods_per_year: float
    borrow_rate: float = 0.0

    @classmethod
    def of(
        cls, equity: ArrayLike, position: ArrayLike, periods_per_year: float, borrow_rate: float = 0.0
    ) -> SizedReturns:
        """From equity (T+1, N), row 0 the initial capital; after a ruin nothing is earned."""
        values = np.asarray(equity, dtype=np.float64)
        alive = values[:-1] > 0
        returns = np.divide(values[1:], values[:-1], out=np.ones_like(values[1:]), where=alive) - 1.0
        return cls(returns, np.asarray(position, dtype=np.float64), periods_per_year, borrow_rate)

    def equity(self, size: float) -> FloatArray:
        """Equity (T+1, N) in units of the initial capital when every position is `size` times as large.

        E_t = E_(t-1) (1 + m r_t - b max(0, m |w_t| - 1) / P), held at zero from the first bar that takes all of it:
        positions are rebalanced to the multiple at each bar, as the strategy's own are.
        """
        borrowed = np.maximum(size * np.abs(self.position) - 1.0, 0.0) - np.maximum(np.abs(self.position) - 1.0, 0.0)
        growth = 1.0 + size * self.returns - self.borrow_rate / self.periods_per_year * np.maximum(borrowed, 0.0)
        path = np.cumprod(np.maximum(growth, 0.0), axis=0)
        return np.concatenate([np.ones((1, path.shape[1])), path])


@dataclass(frozen=True)
class SizeOutcome:
    """What a size brings over the horizon.

    Attributes:
        size: multiple of the strategy's own size.
        growth: mean log growth a year; minus infinity where a universe is ruined.
        median_return: median total return.
        loss: P(total return < 0).
        drawdown: P(drawdown deeper than the limit asked for).
        ruin: P(equity reaches zero).
    """

    size: float
    growth: float
    median_return: float
    loss: Interval
    drawdown: Interval
    ruin: Interval


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
    equity = accounts.equity(size)
    count, final = equity.shape[1], equity[-1]
    deepest = (1.0 - equity / np.maximum.accumulate(equity, axis=0)).max(axis=0)
    return SizeOutcome(
        size=size,
        growth=_growth(accounts, size),
        median_return=float(np.median(final)) - 1.0,
        loss=wilson(int((final < 1.0).sum()), count, level),
        drawdown=wilson(int((deepest > depth).sum()), count, level),
        ruin=wilson(int((final <= 0.0).sum()), count, level),
    )


def _growth(accounts: SizedReturns, size: float) -> float:
    """Mean over universes of the log growth, a year (Kelly 1956)."""
    final = accounts.equity(size)[-1]
    if (final <= 0.0).any():
        return -math.inf
    return float(np.log(final).mean()) * accounts.periods_per_year / len(accounts.returns)


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
    bisection to a thousandth.

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
        low, high = 0.0, most
        while high - low > 1e-3:
            middle = (low + high) / 2
            low, high = (middle, high) if passes(middle)[which] else (low, middle)
        return round(low, 3)

    size, low, high = (search(which) for which in range(3))
    return LargestSize(size, low, high, limited=size < most)


def kelly_size(accounts: SizedReturns, most: float = 10.0) -> float:
    """The size of largest mean log growth over all bars of all universes (Kelly 1956; Thorp 2006).

    Log growth is close to linear in the edge, so a spread of edges around the same mean hardly changes this size
    (Browne & Whitt 1996): estimation error enters through the mean, which a posterior draws towards zero, and through
    limits on drawdowns, which a spread does tighten. Growth is concave in the size; found to a thousandth.

    Args:
        accounts: at size 1.
        most: largest size looked at.

    Returns:
        0.0 where no size grows.
    """
    low, high = 0.0, most
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    while high - low > 1e-3:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if _growth(accounts, left) >= _growth(accounts, right):
            high = right
        else:
            low = left
    size = (low + high) / 2
    return round(size, 3) if _growth(accounts, size) > 0.0 else 0.0
