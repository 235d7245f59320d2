"""Accounts with an edge planted into them: what a strategy would earn, were its timing worth so much.

It knows equity, positions and returns of N universes. `edge_posterior` says how large the edge may be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from stresslab.core.arrays import FloatArray
from stresslab.metrics.market_timing import over_symbols

_FAR = 4.0
"""Ratio of two variances beyond which universes are too few, or timing too rare, to say more."""


@dataclass(frozen=True, eq=False)
class TimingRisk:
    """What a strategy puts at risk by its timing in N universes, bar by bar.

    Attributes:
        per_bar: (T, N) return that a timing Sharpe ratio of 1 a bar adds: c |w| sigma.
        own: annual timing Sharpe ratio that these universes already hold, on average.
        chance: (N,) by how much each one's differs from that.
        spread: variance of `chance` over what it is where timing is worth the same at every bar.
    """

    per_bar: FloatArray
    own: float
    chance: FloatArray
    spread: float


def timing_risk(position: ArrayLike, returns: ArrayLike, periods_per_year: float) -> TimingRisk | None:
    """The return that a unit of timing adds, in proportion to position and to the universe's volatility.

    Timing gains are z = (w - wbar)(r - rbar), and their ratio is mean over root mean square, as on real bars
    (`market_timing.series_timing`). Since gains come while something is held, the bar's share is c |w| sigma, where
    sigma is the universe's root mean square of r - rbar, and c such that the mean share is the root mean square of z,
    both over all bars of all universes, as real bars of all times are taken together: for positions of +1 and -1 in
    universes of one volatility c is 1; for one held a share e of the time, sqrt((1 - e) / e).

    What a universe holds itself is the sum of (w - wbar)(r - rbar_t), rbar_t the mean return over universes at lead t.
    Where returns differ from rbar_t by martingale differences its variance is the sum of the mean squares, whatever the
    rule; `spread` is the ratio of the two, within 1/4 and 4. It is above 1 where a generator's timing comes in spells:
    blocks of history that begin on another weekday turn a calendar rule's gains into losses for as long as they last.

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
    at_risk = math.sqrt(float((over_symbols((held - held.mean(axis=(0, 1))) * surprise) ** 2).mean()))
    exposed = over_symbols(np.abs(held) * sigma)  # (T, N)
    if float(np.ptp(held)) <= 1e-12 or not exposed.any() or not at_risk:
        return None
    scale = at_risk / float(exposed.mean())
    count = held.shape[1]
    gains = over_symbols((held - held.mean(axis=(0, 1))) * (earned - earned.mean(axis=1, keepdims=True)))  # (T, N)
    annual = gains.mean(axis=0) / at_risk * math.sqrt(periods_per_year)  # (N,)
    alone = float((gains**2).mean()) / len(gains) / at_risk**2 * periods_per_year
    spread = float(annual.var(ddof=1)) / alone if count > 1 and alone > 0 else 1.0
    own = float(annual.mean())
    return TimingRisk(
        scale * exposed, own * count / max(count - 1, 1), annual - own, min(max(spread, 1 / _FAR), _FAR)
    )  # fmt: skip


def planted_equity(
    equity: ArrayLike, risk: TimingRisk, edge: ArrayLike, periods_per_year: float, spells: ArrayLike = 1.0
) -> FloatArray:
    """Equity when timing is worth the given ratio in each universe, in place of what it was worth there.

    E'_t = E'_(t-1) (1 + g_t + (theta_i - own_i) / sqrt(P) c |w_t| sigma_i), where g_t is what the account earned net of
    costs and own_i = own + (1 - sqrt(v_i / q)) chance_i, q being `risk.spread`: what the generator holds on average is
    replaced, and the spread between universes becomes v_i times that of timing worth the same at every bar. An account
    that is ruined stays so.

    Args:
        equity: (T + 1, N) currency.
        risk: of the same accounts.
        edge: (N,) theta, annual timing Sharpe ratio of each universe.
        periods_per_year: P, bars in a year.
        spells: v, (N,) or one number for all: above 1 for an edge that comes in spells.
    """
    before = np.asarray(equity, dtype=np.float64)
    alive = before[:-1] > 0
    earned = np.divide(before[1:], before[:-1], out=np.ones_like(before[1:]), where=alive) - 1.0
    own = risk.own + (1 - np.sqrt(np.asarray(spells, dtype=np.float64) / risk.spread)) * risk.chance  # (N,)
    extra = (np.asarray(edge, dtype=np.float64) - own) / math.sqrt(periods_per_year) * risk.per_bar
    growth = np.maximum(1.0 + np.where(alive, earned + extra, 0.0), 0.0)
    planted = np.concatenate([before[:1], before[:1] * np.cumprod(growth, axis=0)])
    return np.asarray(np.where(before <= 0, np.minimum(before, planted), planted), dtype=np.float64)
