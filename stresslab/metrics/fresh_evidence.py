"""Evidence free of selection: timing on unseen bars, and parameters chosen before each window.

It knows positions and returns of one real series. Which bars are fresh is asked elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.plain_json import plain
from stresslab.metrics.edge_posterior import Evidence
from stresslab.metrics.laws import chi_square_tail, normal_tail
from stresslab.metrics.multiple_testing import sharpe_of

FIRST_TRAINING = 0.25
"""Share of the bars that only train."""
WINDOWS = 12
"""Windows that the rest is traded in, each with the parameters that were best before it."""
MIN_BARS = 20
"""Fewer fresh bars say nothing."""


@dataclass(frozen=True)
class FreshTiming:
    """Timing on bars that had no part in the choice.

    Attributes:
        sharpe: annual ratio.
        error: its standard error, sqrt(bars a year / bars).
        p_value: one-sided, that it is worth nothing.
        bars: how many.
    """

    sharpe: float
    error: float
    p_value: float
    bars: int

    @property
    def evidence(self) -> Evidence:
        """As the posterior takes it."""
        return Evidence(self.sharpe, self.error)

    def to_dict(self) -> dict[str, float | int | None]:
        """As plain JSON."""
        return {
            "sharpe": plain(self.sharpe),
            "error": plain(self.error),
            "p_value": plain(self.p_value),
            "bars": self.bars,
        }


def fresh_timing(position: ArrayLike, returns: ArrayLike, start: int, periods_per_year: float) -> FreshTiming | None:
    """Timing from bar `start` on, about what was known before each bar.

    z_t = (w_t - wbar_t)(r_t - rbar_t), wbar_t and rbar_t the means over all bars before t. Where returns are martingale
    differences about their mean, so are these up to the error of rbar_t, whatever the rule: the sum over its own root
    sum of squares is standard normal in the limit (Pena, Lai & Shao 2009, self-normalised martingales), and no random
    order of the bars is needed, nor does anything look ahead.

    Args:
        position: (T,) w, held over each bar, as decided before it; of a market (T, K), whose gains are added up.
        returns: r, what a full position earned over it; likewise.
        start: first fresh bar, at least 2.
        periods_per_year: bars in a year.

    Returns:
        None for fewer than `MIN_BARS` fresh bars, and where nothing was timed on them.
    """
    held, earned = np.asarray(position, dtype=np.float64), np.asarray(returns, dtype=np.float64)
    bars = len(held) - start
    if bars < MIN_BARS or start < 2:
        return None
    held, earned = held.reshape(len(held), -1), earned.reshape(len(earned), -1)  # (T, K)
    counts = np.arange(1, len(held))[:, None]
    known = [np.cumsum(one, axis=0)[:-1] / counts for one in (held, earned)]  # (T - 1, K) each, means before bar t
    gains = ((held[1:] - known[0]) * (earned[1:] - known[1])).sum(axis=1)[start - 1 :]
    size = math.sqrt(float((gains**2).sum()))
    if size <= 1e-12 * math.sqrt(float((earned**2).sum())):
        return None
    statistic, yearly = float(gains.sum()) / size, math.sqrt(periods_per_year / bars)
    return FreshTiming(statistic * yearly, yearly, float(normal_tail(statistic)), bars)


@dataclass(frozen=True, eq=False)
class Reoptimised:
    """A procedure: in each window the candidate that was best before it.

    Attributes:
        chosen: (W,) which candidate traded each window.
        starts: (W,) first bar of each window.
        returns: (T - starts[0],) net bar returns of the stitched account.
        position: (T,) what it held, of a market (T, K); before the first window the first choice.
    """

    chosen: NDArray[np.int64]
    starts: NDArray[np.int64]
    returns: FloatArray
    position: FloatArray


def reoptimise(returns: ArrayLike, position: ArrayLike, cost: float = 0.0) -> Reoptimised | None:
    """Choose among candidates on the bars before each window and trade the choice in it (Pardo 2008, walk-forward).

    Training is anchored: all bars before the window. The choice has the largest Sharpe ratio of net returns; where it
    changes, what must be bought and sold to change it costs.

    Args:
        returns: (T, M) net bar returns of the candidates' own accounts on the real bars.
        position: (T, M) what they held, of a market (T, M, K).
        cost: of trading, a fraction of the value traded.

    Returns:
        None where there are fewer than two candidates or too few bars for `WINDOWS` windows of `MIN_BARS`.
    """
    earned, held = np.asarray(returns, dtype=np.float64), np.asarray(position, dtype=np.float64)
    steps, count = earned.shape
    first = int(steps * FIRST_TRAINING)
    if count < 2 or steps - first < WINDOWS * MIN_BARS:
        return None
    starts = np.linspace(first, steps, WINDOWS + 1).astype(np.int64)
    chosen = np.array([_best(earned[:start]) for start in starts[:-1]], dtype=np.int64)
    at_bar = np.concatenate([np.full(first, chosen[0]), np.repeat(chosen, np.diff(starts))])
    bars = np.arange(steps)
    stitched, held_then = earned[bars, at_bar].copy(), held[bars, at_bar]
    for start, old, new in zip(starts[1:-1], chosen[:-1], chosen[1:], strict=True):
        stitched[start] -= cost * float(np.abs(held[start - 1, new] - held[start - 1, old]).sum())
    return Reoptimised(chosen, starts[:-1], stitched[first:], held_then)


def _best(returns: FloatArray) -> int:
    """The candidate of the largest Sharpe ratio; the first one where none has any."""
    ratios = sharpe_of(returns)
    return int(np.nanargmax(ratios)) if np.isfinite(ratios).any() else 0


def combined_p_value(p_values: Sequence[float]) -> float:
    """One p-value of independent ones: -2 sum log p is chi-square with 2 k degrees of freedom (Fisher 1932)."""
    if not p_values:
        return 1.0
    logs = -2.0 * math.fsum(math.log(max(p, 1e-300)) for p in p_values)
    return chi_square_tail(logs, 2 * len(p_values))
