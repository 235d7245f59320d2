"""The measures of one strategy in each universe: one function and one row of `MEASURES` apiece.

It knows equity, positions and trades as arrays; how they came about is the engine's business, how measures spread over
universes is `stresslab.statistics.distribution`'s.

T is bars, N universes. Returns, drawdowns, volatility and shares are fractions (0.05 is 5%); ratios are annual where
the name says so or the docstring does. One rule covers what cannot be computed: a quotient whose denominator is zero is
NaN, never an invented 0 and never infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest.result import Backtest

FloatArray = NDArray[np.float64]

_ROUNDING = 1e-12
"""A deviation of returns below this is rounding of a constant: equity carries about 1e-16 of relative error."""


def _quotient(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Numerator / denominator, NaN where the denominator is zero (N,)."""
    undefined = denominator == 0
    quotient: FloatArray = numerator / np.where(undefined, 1.0, denominator)
    return np.where(undefined, np.nan, quotient)


def bar_returns(equity: FloatArray) -> FloatArray:
    """Simple returns E_t / E_{t-1} - 1 of each bar.

    Args:
        equity: (T+1, N), row 0 is the initial capital.

    Returns:
        (T, N). After ruin, where equity is zero or less, nothing is left to earn a return on: 0.
    """
    before = equity[:-1]
    alive = before > 0
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


def sharpe(returns: FloatArray, periods_per_year: float) -> FloatArray:
    """Mean over deviation of the bars' returns at a risk-free rate of zero (Sharpe 1994, eq. 3 to 6), annualised.

    Args:
        returns: (T, N).
        periods_per_year: bars in a year; the ratio is multiplied by its root (Lo 2002, uncorrelated returns).

    Returns:
        (N,). NaN where returns do not vary (no trades, zero variance) and for a single bar.
    """
    return _quotient(returns.mean(axis=0), deviation(returns)) * math.sqrt(periods_per_year)


def sortino(returns: FloatArray, periods_per_year: float) -> FloatArray:
    """Mean return over downside deviation, sqrt(mean(min(r, 0)^2)), at a target of zero (Sortino & Price 1994).

    Args:
        returns: (T, N).
        periods_per_year: bars in a year; the ratio is multiplied by its root.

    Returns:
        (N,). NaN where no bar lost (no trades among them).
    """
    downside = np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2, axis=0))
    return _quotient(returns.mean(axis=0), np.where(downside < _ROUNDING, 0.0, downside)) * math.sqrt(periods_per_year)


def drawdown(equity: FloatArray) -> FloatArray:
    """Equity over its running maximum, less one; the initial capital is the first maximum (Magdon-Ismail & Atiya 2004).

    Args:
        equity: (T+1, N), row 0 is the initial capital.

    Returns:
        (T+1, N), at most 0; below -1 only where a ruined account owes money.
    """
    peak: FloatArray = np.maximum.accumulate(equity, axis=0)
    return equity / peak - 1.0


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


def win_rate(wins: FloatArray, trades: FloatArray) -> FloatArray:
    """Share of closed trades with a net profit: the hit ratio (Lopez de Prado 2018, ch. 14).

    Args:
        wins: (N,) closed trades with a net profit.
        trades: (N,) closed trades.

    Returns:
        (N,) in [0, 1]. NaN without trades.
    """
    return _quotient(wins, trades)


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


@dataclass(frozen=True, eq=False)
class Account:
    """What the measures of some universes are made of, and what they share, computed once.

    Attributes:
        equity: (T+1, N), row 0 is the initial capital.
        position: (T, N) signed fraction of equity held over each bar.
        traded: (T, N) value traded in each bar over equity.
        trades: (N,) closed trades.
        wins: (N,) closed trades with a net profit.
        gross_profit: (N,) sum of the profits of winning trades.
        gross_loss: (N,) sum of the losses of losing trades.
        benchmark: (N,) total return of the benchmark, NaN without one.
        periods_per_year: bars in a year.
    """

    equity: FloatArray
    position: FloatArray
    traded: FloatArray
    trades: FloatArray
    wins: FloatArray
    gross_profit: FloatArray
    gross_loss: FloatArray
    benchmark: FloatArray
    periods_per_year: float

    @cached_property
    def returns(self) -> FloatArray:
        """Bar returns (T, N)."""
        return bar_returns(self.equity)

    @cached_property
    def drawdowns(self) -> FloatArray:
        """Drawdowns (T+1, N)."""
        return drawdown(self.equity)

    @cached_property
    def annual(self) -> FloatArray:
        """Annual returns (N,)."""
        return annual_return(self.equity, self.periods_per_year)

    @cached_property
    def deepest(self) -> FloatArray:
        """Maximum drawdowns (N,)."""
        return max_drawdown(self.drawdowns)


@dataclass(frozen=True)
class Measure:
    """One row of the table of measures.

    Attributes:
        name: the key in `metrics`, `result.json` and the documentation.
        label: what people read.
        description: one sentence in plain words.
        format: how people read the number: "percent" (a fraction times 100), "ratio" or "count".
        better: which way is better, "higher" or "lower"; None where neither is.
        tail: True where the low tail is a loss in capital, so that value at risk and shortfall have a meaning.
        compute: the function of an `Account`, (N,).
    """

    name: str
    label: str
    description: str
    format: Literal["percent", "ratio", "count"]
    better: Literal["higher", "lower"] | None
    tail: bool
    compute: Callable[[Account], FloatArray]


_ROWS = (
    Measure(
        "total_return", "Total return", "Net profit over the horizon as a share of the initial capital.",
        "percent", "higher", True, lambda a: total_return(a.equity),
    ),
    Measure(
        "annual_return", "Annual return", "The total return compounded to one year.",
        "percent", "higher", True, lambda a: a.annual,
    ),
    Measure(
        "annual_volatility", "Annual volatility", "Standard deviation of the bars' returns, scaled to one year.",
        "percent", "lower", False, lambda a: annual_volatility(a.returns, a.periods_per_year),
    ),
    Measure(
        "sharpe", "Sharpe ratio", "Mean return over its standard deviation, scaled to one year.",
        "ratio", "higher", False, lambda a: sharpe(a.returns, a.periods_per_year),
    ),
    Measure(
        "sortino", "Sortino ratio", "Mean return over its downside deviation, scaled to one year.",
        "ratio", "higher", False, lambda a: sortino(a.returns, a.periods_per_year),
    ),
    Measure(
        "calmar", "Calmar ratio", "Annual return over the size of the maximum drawdown.",
        "ratio", "higher", False, lambda a: calmar(a.annual, a.deepest),
    ),
    Measure(
        "max_drawdown", "Maximum drawdown", "Deepest fall below the running maximum, initial capital included.",
        "percent", "higher", True, lambda a: a.deepest,
    ),
    Measure(
        "time_under_water", "Time under water", "Share of bars with equity below its running maximum.",
        "percent", "lower", False, lambda a: time_under_water(a.drawdowns),
    ),
    Measure(
        "trades", "Trades", "Number of closed trades.",
        "count", None, False, lambda a: a.trades,
    ),
    Measure(
        "win_rate", "Win rate", "Share of closed trades with a net profit.",
        "percent", "higher", False, lambda a: win_rate(a.wins, a.trades),
    ),
    Measure(
        "profit_factor", "Profit factor", "Profits of winning trades over losses of losing ones.",
        "ratio", "higher", False, lambda a: profit_factor(a.gross_profit, a.gross_loss),
    ),
    Measure(
        "exposure", "Exposure", "Share of bars over which a position is held.",
        "percent", None, False, lambda a: exposure(a.position),
    ),
    Measure(
        "turnover", "Turnover", "Value bought and sold over equity, in multiples of equity a year.",
        "ratio", "lower", False, lambda a: turnover(a.traded, a.periods_per_year),
    ),
    Measure(
        "excess_return", "Excess return", "Total return less that of buy and hold in the same universe.",
        "percent", "higher", True, lambda a: excess_return(total_return(a.equity), a.benchmark),
    ),
)  # fmt: skip

MEASURES: MappingProxyType[str, Measure] = MappingProxyType({row.name: row for row in _ROWS})
"""Every measure by name, in the order of `result.json`; the report and the documentation follow this table."""


def measures(backtest: Backtest, periods_per_year: float, benchmark: Backtest | None = None) -> pd.DataFrame:
    """All measures of a strategy in each universe.

    Args:
        backtest: of the strategy.
        periods_per_year: bars in a year.
        benchmark: buy and hold in the same universes, which `excess_return` compares with; None leaves it undefined.

    Returns:
        (N,) rows indexed by universe id, one column per measure in the order of `MEASURES`.
    """
    account = Account(
        equity=backtest.equity,
        position=backtest.position,
        traded=backtest.traded,
        trades=backtest.trades.astype(np.float64),
        wins=backtest.wins.astype(np.float64),
        gross_profit=backtest.gross_profit,
        gross_loss=backtest.gross_loss,
        benchmark=np.full(len(backtest.ids), np.nan) if benchmark is None else total_return(benchmark.equity),
        periods_per_year=periods_per_year,
    )
    columns = {name: row.compute(account) for name, row in MEASURES.items()}
    return pd.DataFrame(columns, index=pd.Index(backtest.ids, name="universe"))
