"""The measures of one strategy in each universe: one row of `MEASURES` apiece, one formula of `performance` behind it.

The engine makes the accounts; `stresslab.metrics.distribution` says how measures spread over universes. T is bars, N
universes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.metrics import performance as of


@dataclass(frozen=True, eq=False)
class Account:
    """What N accounts went through over T bars; row 0 of `equity` is the initial capital.

    Attributes:
        equity: (T+1, N) currency.
        position: (T, N) signed fraction of equity held over each bar.
        traded: (T, N) value traded in each bar over equity.
        trades: (N,) closed trades.
        wins: (N,) closed trades with a net profit.
        gross_profit: (N,) currency, sum of the profits of winning trades.
        gross_loss: (N,) currency, sum of the losses of losing trades, positive.
    """

    equity: FloatArray
    position: FloatArray
    traded: FloatArray
    trades: NDArray[np.int64]
    wins: NDArray[np.int64]
    gross_profit: FloatArray
    gross_loss: FloatArray


@dataclass(frozen=True, eq=False)
class MeasureInputs:
    """What the measures of N accounts are computed from, with what several of them share.

    Attributes:
        account: of the strategy.
        periods_per_year: bars in a year.
        benchmark: (N,) total return of the benchmark, NaN without one.
        risk_free: interest a year.
    """

    account: Account
    periods_per_year: float
    benchmark: FloatArray
    risk_free: float = 0.0

    @cached_property
    def returns(self) -> FloatArray:
        """Bar returns (T, N)."""
        return of.bar_returns(self.account.equity)

    @cached_property
    def drawdowns(self) -> FloatArray:
        """Drawdowns (T+1, N)."""
        return of.drawdown(self.account.equity)

    @cached_property
    def annual(self) -> FloatArray:
        """Annual returns (N,)."""
        return of.annual_return(self.account.equity, self.periods_per_year)

    @cached_property
    def deepest(self) -> FloatArray:
        """Maximum drawdowns (N,)."""
        return of.max_drawdown(self.drawdowns)


@dataclass(frozen=True)
class Measure:
    """One row of the table of measures.

    Attributes:
        name: the key in `metrics`, `result.json` and the documentation.
        label: what people read.
        description: one sentence in plain words.
        format: how people read the number: "percent" (a fraction times 100), "ratio", "count" or "currency".
        better: which way is better, "higher" or "lower"; None where neither is.
        tail: True where the low tail is a loss in capital, so that value at risk and shortfall have a meaning.
        compute: the function of the `MeasureInputs`, (N,).
        added: True where runs were stored before it was thought of: in those it is undefined, and not missing.
    """

    name: str
    label: str
    description: str
    format: Literal["percent", "ratio", "count", "currency"]
    better: Literal["higher", "lower"] | None
    tail: bool
    compute: Callable[[MeasureInputs], FloatArray]
    added: bool = False


_ROWS = (
    Measure(
        "total_return", "Total return", "Net profit over the horizon as a share of the initial capital.",
        "percent", "higher", True, lambda a: of.total_return(a.account.equity),
    ),
    Measure(
        "annual_return", "Annual return", "The total return compounded to one year.",
        "percent", "higher", True, lambda a: a.annual,
    ),
    Measure(
        "annual_volatility", "Annual volatility", "Standard deviation of the bars' returns, scaled to one year.",
        "percent", "lower", False, lambda a: of.annual_volatility(a.returns, a.periods_per_year),
    ),
    Measure(
        "sharpe", "Sharpe ratio", "Mean return above the risk-free rate over its deviation, scaled to one year.",
        "ratio", "higher", False, lambda a: of.sharpe(a.returns, a.periods_per_year, a.risk_free),
    ),
    Measure(
        "sortino", "Sortino ratio", "Mean return above the risk-free rate over downside deviation, scaled to one year.",
        "ratio", "higher", False, lambda a: of.sortino(a.returns, a.periods_per_year, a.risk_free),
    ),
    Measure(
        "calmar", "Calmar ratio", "Annual return over the size of the maximum drawdown.",
        "ratio", "higher", False, lambda a: of.calmar(a.annual, a.deepest),
    ),
    Measure(
        "max_drawdown", "Maximum drawdown", "Deepest fall below the running maximum, initial capital included.",
        "percent", "higher", True, lambda a: a.deepest,
    ),
    Measure(
        "time_under_water", "Time under water", "Share of bars with equity below its running maximum.",
        "percent", "lower", False, lambda a: of.time_under_water(a.drawdowns),
    ),
    Measure(
        "trades", "Trades", "Number of closed trades.",
        "count", None, False, lambda a: a.account.trades.astype(np.float64),
    ),
    Measure(
        "win_rate", "Win rate", "Share of closed trades with a net profit.",
        "percent", "higher", False, lambda a: of.win_rate(a.account.wins, a.account.trades),
    ),
    Measure(
        "profit_factor", "Profit factor", "Profits of winning trades over losses of losing ones.",
        "ratio", "higher", False, lambda a: of.profit_factor(a.account.gross_profit, a.account.gross_loss),
    ),
    Measure(
        "exposure", "Exposure", "Share of bars over which a position is held.",
        "percent", None, False, lambda a: of.exposure(a.account.position),
    ),
    Measure(
        "turnover", "Turnover", "Value bought and sold over equity, in multiples of equity a year.",
        "ratio", "lower", False, lambda a: of.turnover(a.account.traded, a.periods_per_year),
    ),
    Measure(
        "excess_return", "Excess return", "Total return less that of buy and hold in the same universe.",
        "percent", "higher", True, lambda a: of.excess_return(of.total_return(a.account.equity), a.benchmark),
    ),
    Measure(
        "pnl", "Profit and loss", "Net profit over the horizon in the currency of the account.",
        "currency", "higher", True, lambda a: of.pnl(a.account.equity),
    ),
)  # fmt: skip

MEASURES: MappingProxyType[str, Measure] = MappingProxyType({row.name: row for row in _ROWS})
"""Every measure by name, in the order of `result.json`; the report and the documentation follow this table."""


def later(known: Container[str]) -> dict[str, float]:
    """NaN for each measure that was added after these, which a stored run knows, were all there were."""
    return {name: math.nan for name, row in MEASURES.items() if row.added and name not in known}
