"""The formulas of performance: equity, positions and trades as arrays in, one number per universe out.

`stresslab.metrics.measures` decides which are reported, and under which names.

T is bars, N universes. Returns, drawdowns, volatility and shares are fractions (0.05 is 5%); ratios are annual where
the name says so or the docstring does. One rule covers what cannot be computed: a quotient whose denominator is zero is
NaN, never an invented 0 and never infinity.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray

_ROUNDING = 1e-12
"""A deviation of returns below this is rounding of a constant: equity carries about 1e-16 of relative error."""


def _quotient(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Numerator / denominator, NaN where the denominator is zero (N,)."""
    undefined = denominator == 0
    quotient: FloatArray = numerator / np.where(undefined, 1.0, denominator)
    return np.where(undefined, np.nan, quotient)


def _excess(returns: FloatArray, rate: float) -> FloatArray:
    """Returns (T, N) above a rate for each bar."""
    return returns - rate if rate else returns


def bar_returns(equity: FloatArray) -> FloatArray:
    """Simple returns E_t / E_{t-1} - 1 of each bar.

    Args:
        equity: (T+1, N), row 0 is the initial capital.

    Returns:
        (T, N). After ruin, where equity is zero or less, nothing is left to earn a return on: 0.
    """
    before = equity[:-1]
    alive = before > 0
    if alive.all():
        returns: FloatArray = equity[1:] / before - 1.0
        return returns
    return np.where(alive, equity[1:] / np.where(alive, before, 1.0) - 1.0, 0.0)


def total_return(equity: FloatArray) -> FloatArray:
    """Net return over the horizon, E_T / E_0 - 1 (Bacon 2008, simple return).

    Args:
        equity: (T+1, N), row 0 is the initial capital, above zero.

    Returns:
        (N,) fractions. Without trades 0; below -1 only where a ruined account owes money.
    """
    growth: FloatArray = equity[-1] / equity[0]
    return growth - 1.0


def pnl(equity: FloatArray) -> FloatArray:
    """Net profit or loss over the horizon, E_T - E_0 (Bacon 2008, profit and loss).

    Args:
        equity: (T+1, N), row 0 is the initial capital.

    Returns:
        (N,) currency. Without trades the interest on cash, 0 where there is none.
    """
    gain: FloatArray = equity[-1] - equity[0]
    return gain


def annual_return(equity: FloatArray, periods_per_year: float) -> FloatArray:
    """Compound annual growth, (E_T / E_0)^(periods_per_year / T) - 1 (Bacon 2008, geometric annualisation).

    Args:
        equity: (T+1, N), row 0 is the initial capital.
        periods_per_year: bars in a year.

    Returns:
        (N,) fractions a year. Without trades 0; -1 where nothing is left; NaN where the horizon is so short that the
        growth of a year exceeds every float.
    """
    growth: FloatArray = np.maximum(equity[-1] / equity[0], 0.0)
    with np.errstate(over="ignore"):
        annual = growth ** (periods_per_year / (len(equity) - 1)) - 1.0
    return np.where(np.isfinite(annual), annual, np.nan)


def deviation(returns: FloatArray) -> FloatArray:
    """Sample standard deviation of the bars' returns, with T - 1 degrees of freedom.

    Args:
        returns: (T, N).

    Returns:
        (N,) fractions a bar. 0 for constant returns; NaN for a single bar.
    """
    if len(returns) < 2:
        return np.full(returns.shape[1], np.nan)
    spread = np.asarray(np.std(returns, axis=0, ddof=1), dtype=np.float64)
    return np.where(spread < _ROUNDING, 0.0, spread)


def annual_volatility(returns: FloatArray, periods_per_year: float) -> FloatArray:
    """Standard deviation of returns scaled by the square root of time (Lo 2002: exact for uncorrelated returns).

    Args:
        returns: (T, N).
        periods_per_year: bars in a year.

    Returns:
        (N,) fractions a year. Without trades 0; NaN for a single bar.
    """
    return deviation(returns) * math.sqrt(periods_per_year)


def sharpe(returns: FloatArray, periods_per_year: float, risk_free: float = 0.0) -> FloatArray:
    """Mean over deviation of the bars' returns in excess of the risk-free rate (Sharpe 1994, eq. 3 to 6), annualised.

    Args:
        returns: (T, N).
        periods_per_year: bars in a year; the ratio is multiplied by its root (Lo 2002, uncorrelated returns).
        risk_free: interest a year, of which each bar brings an equal share.

    Returns:
        (N,). NaN where returns do not vary (no trades, zero variance) and for a single bar.
    """
    excess = _excess(returns, risk_free / periods_per_year)
    return _quotient(excess.mean(axis=0), deviation(returns)) * math.sqrt(periods_per_year)


def sortino(returns: FloatArray, periods_per_year: float, risk_free: float = 0.0) -> FloatArray:
    """Mean excess return x over downside deviation, sqrt(mean(min(x, 0)^2)) (Sortino & Price 1994).

    Args:
        returns: (T, N).
        periods_per_year: bars in a year; the ratio is multiplied by its root.
        risk_free: interest a year, the target; each bar brings an equal share.

    Returns:
        (N,). NaN where no bar fell short of the target (without interest, no trades among them).
    """
    excess = _excess(returns, risk_free / periods_per_year)
    downside = np.sqrt(np.mean(np.minimum(excess, 0.0) ** 2, axis=0))
    return _quotient(excess.mean(axis=0), np.where(downside < _ROUNDING, 0.0, downside)) * math.sqrt(periods_per_year)


def drawdown(equity: FloatArray) -> FloatArray:
    """Equity over its running maximum, less one; the initial capital is the first maximum (Magdon-Ismail & Atiya 2004).

    Args:
        equity: (T+1, N), row 0 is the initial capital.

    Returns:
        (T+1, N), at most 0; below -1 only where a ruined account owes money.
    """
    if len(equity) > 10 * equity.shape[1]:  # few universes of many bars
        return np.asarray(equity / np.maximum.accumulate(equity, axis=0) - 1.0)
    fallen = np.array(equity, order="C")  # bar by bar in memory: half the time of `np.maximum.accumulate`
    peak = fallen[0].copy()
    for row in fallen:
        np.maximum(peak, row, out=peak)
        np.divide(row, peak, out=row)
    fallen -= 1.0
    return fallen


def max_drawdown(drawdowns: FloatArray) -> FloatArray:
    """The deepest drawdown (Magdon-Ismail & Atiya 2004), negative as in vectorbt and quantstats.

    Args:
        drawdowns: (T+1, N) of `drawdown`.

    Returns:
        (N,) fractions. 0 without trades and where equity never fell.
    """
    deepest: FloatArray = drawdowns.min(axis=0)
    return deepest


def calmar(annual: FloatArray, deepest: FloatArray) -> FloatArray:
    """Annual return over the size of the maximum drawdown (Young 1991), both over the horizon instead of 36 months.

    Args:
        annual: (N,) of `annual_return`.
        deepest: (N,) of `max_drawdown`.

    Returns:
        (N,). NaN where there was no drawdown (no trades among them).
    """
    return _quotient(annual, np.abs(deepest))


def time_under_water(drawdowns: FloatArray) -> FloatArray:
    """Share of bars whose close finds equity below its running maximum.

    Lopez de Prado (2018, ch. 14) measures the length of such spells; the share of all bars is bounded and does not
    depend on the length of a bar.

    Args:
        drawdowns: (T+1, N) of `drawdown`.

    Returns:
        (N,) in [0, 1]. 0 without trades.
    """
    share: FloatArray = np.mean(drawdowns[1:] < -_ROUNDING, axis=0)
    return share


def win_rate(wins: NDArray[np.int64], trades: NDArray[np.int64]) -> FloatArray:
    """Share of closed trades with a net profit: the hit ratio (Lopez de Prado 2018, ch. 14).

    Args:
        wins: (N,) closed trades with a net profit.
        trades: (N,) closed trades.

    Returns:
        (N,) in [0, 1]. NaN without trades.
    """
    return _quotient(wins.astype(np.float64), trades.astype(np.float64))


def profit_factor(gross_profit: FloatArray, gross_loss: FloatArray) -> FloatArray:
    """Sum of the winning trades' profits over the size of the sum of the losing trades' losses (Kaufman 2013).

    Args:
        gross_profit: (N,) currency, net of costs.
        gross_loss: (N,) currency, net of costs; its sign does not matter.

    Returns:
        (N,). NaN where no trade lost (no trades among them).
    """
    return _quotient(gross_profit, np.abs(gross_loss))


def exposure(position: FloatArray) -> FloatArray:
    """Share of bars over which a position, long or short, is held: time in the market.

    Args:
        position: (T, N) position over each bar as a signed fraction of equity.

    Returns:
        (N,) in [0, 1]. 0 without trades.
    """
    share: FloatArray = np.mean(position != 0, axis=0)
    return share


def turnover(traded: FloatArray, periods_per_year: float) -> FloatArray:
    """Value traded, bought and sold alike, over equity, a year (DeMiguel, Garlappi & Uppal 2009, per period).

    Args:
        traded: (T, N) value traded in each bar over equity.
        periods_per_year: bars in a year.

    Returns:
        (N,) multiples of equity a year. 0 without trades.
    """
    per_bar: FloatArray = traded.mean(axis=0)
    return per_bar * periods_per_year


def excess_return(total: FloatArray, benchmark: FloatArray) -> FloatArray:
    """Total return less the benchmark's in the same universe (Bacon 2008, arithmetic excess return).

    Args:
        total: (N,) of `total_return`.
        benchmark: (N,) the benchmark's total return.

    Returns:
        (N,) fractions. NaN without a benchmark.
    """
    return total - benchmark
