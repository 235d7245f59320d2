"""Accounts with an edge planted into them: what a strategy would earn, were its timing worth so much.

It knows equity, positions and returns of N universes. How large the edge may be is `edge_posterior`'s question.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from stresslab.core.arrays import FloatArray
from stresslab.metrics.market_timing import over_symbols


@dataclass(frozen=True, eq=False)
class TimingRisk:
    """What a strategy puts at risk by its timing in N universes, bar by bar.

    Attributes:
        per_bar: (T, N) return that a timing Sharpe ratio of 1 a bar adds: c |w| sigma.
        own: annual timing Sharpe ratio that these universes already hold.
    """

    per_bar: FloatArray
    own: float


def timing_risk(position: ArrayLike, returns: ArrayLike, periods_per_year: float) -> TimingRisk | None:
    """The return that a unit of timing adds, in proportion to position and to the universe's volatility.

    Timing gains are z = (w - wbar)(r - rbar), and their ratio is mean over root mean square, as on real bars
    (`market_timing.series_timing`). Since gains come while something is held, the bar's share is c |w| sigma, where
    sigma is the universe's root mean square of r - rbar, and c such that over all universes the shares add up to as
    much as the root mean squares of z: for positions of +1 and -1, c is 1; for one held a share e of the time,
    sqrt((1 - e) / e).

    Args:
        position: (T, N) w, held over each bar, a signed fraction of equity; of a market (T, N, K), whose symbols' gains
            and shares are added up.
        returns: r, what a full position earns over it; likewise.
        periods_per_year: bars in a year.

    Returns:
        None where exposure never varies, so that nothing is timed.
    """
    held, earned = np.asarray(position, dtype=np.float64), np.asarray(returns, dtype=np.float64)
    surprise = earned - earned.mean(axis=(0, 1))
    sigma = np.sqrt((surprise**2).mean(axis=0))  # (N,), of a market (N, K)
    at_risk = np.sqrt((over_symbols((held - held.mean(axis=(0, 1))) * surprise) ** 2).mean(axis=0))  # (N,)
    exposed = over_symbols(np.abs(held) * sigma)  # (T, N)
    if float(np.ptp(held)) <= 1e-12 or not exposed.any() or not at_risk.any():
        return None
    scale = float(at_risk.mean()) / float(exposed.mean())
    count = held.shape[1]
    tilts, moves = (one - one.mean(axis=1, keepdims=True) for one in (held, earned))
    gain = float(over_symbols(tilts * moves).mean()) * count / max(count - 1, 1)
    return TimingRisk(scale * exposed, gain / float(at_risk.mean()) * math.sqrt(periods_per_year))


def planted_equity(equity: ArrayLike, risk: TimingRisk, edge: ArrayLike, periods_per_year: float) -> FloatArray:
    """Equity when timing is worth the given ratio in each universe, in place of what it was worth there on average.

    E'_t = E'_(t-1) (1 + g_t + (theta_i - own) / sqrt(P) c |w_t| sigma_i), where g_t is what the account earned net of
    costs. An account that is ruined stays so.

    Args:
        equity: (T + 1, N) currency.
        risk: of the same accounts.
        edge: (N,) theta, annual timing Sharpe ratio of each universe.
        periods_per_year: P, bars in a year.
    """
    before = np.asarray(equity, dtype=np.float64)
    alive = before[:-1] > 0
    earned = np.divide(before[1:], before[:-1], out=np.ones_like(before[1:]), where=alive) - 1.0
    extra = (np.asarray(edge, dtype=np.float64) - risk.own) / math.sqrt(periods_per_year) * risk.per_bar
    growth = np.maximum(1.0 + np.where(alive, earned + extra, 0.0), 0.0)
    planted = np.concatenate([before[:1], before[:1] * np.cumprod(growth, axis=0)])
    return np.asarray(np.where(before <= 0, np.minimum(before, planted), planted), dtype=np.float64)
