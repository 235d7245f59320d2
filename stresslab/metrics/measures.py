"""The measures of one strategy in each universe: one row of `MEASURES` apiece, one formula of `performance` behind it.

How accounts came about is the engine's business, how measures spread over universes is
`stresslab.metrics.distribution`'s. T is bars, N universes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest.result import Backtest
from stresslab.metrics import performance as of

FloatArray = NDArray[np.float64]


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
        risk_free: interest a year.
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
    risk_free: float = 0.0

    @classmethod
    def of(
        cls, backtest: Backtest, periods_per_year: float, benchmark: Backtest | None = None, risk_free: float = 0.0
    ) -> Account:
        """From a backtest, and buy and hold in the same universes."""
        return cls(
            equity=backtest.equity,
            position=backtest.position,
            traded=backtest.traded,
            trades=backtest.trades.astype(np.float64),
            wins=backtest.wins.astype(np.float64),
            gross_profit=backtest.gross_profit,
            gross_loss=backtest.gross_loss,
            benchmark=np.full(len(backtest.ids), np.nan) if benchmark is None else of.total_return(benchmark.equity),
            periods_per_year=periods_per_year,
            risk_free=risk_free,
        )

    @cached_property
    def returns(self) -> FloatArray:
        """Bar returns (T, N)."""
        return of.bar_returns(self.equity)

    @cached_property
    def drawdowns(self) -> FloatArray:
        """Drawdowns (T+1, N)."""
        return of.drawdown(self.equity)

    @cached_property
    def annual(self) -> FloatArray:
        """Annual returns (N,)."""
        return of.annual_return(self.equity, self.periods_per_year)

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
        compute: the function of an `Account`, (N,).
    """

    name: str
    label: str
    description: str
    format: Literal["percent", "ratio", "count", "currency"]
    better: Literal["higher", "lower"] | None
    tail: bool
    compute: Callable[[Account], FloatArray]


_ROWS = (
    Measure(
        "total_return", "Total return", "Net profit over the horizon as a share of the initial capital.",
        "percent", "higher", True, lambda a: of.total_return(a.equity),
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
        "count", None, False, lambda a: a.trades,
    ),
    Measure(
        "win_rate", "Win rate", "Share of closed trades with a net profit.",
        "percent", "higher", False, lambda a: of.win_rate(a.wins, a.trades),
    ),
    Measure(
        "profit_factor", "Profit factor", "Profits of winning trades over losses of losing ones.",
        "ratio", "higher", False, lambda a: of.profit_factor(a.gross_profit, a.gross_loss),
    ),
    Measure(
        "exposure", "Exposure", "Share of bars over which a position is held.",
        "percent", None, False, lambda a: of.exposure(a.position),
    ),
    Measure(
        "turnover", "Turnover", "Value bought and sold over equity, in multiples of equity a year.",
        "ratio", "lower", False, lambda a: of.turnover(a.traded, a.periods_per_year),
    ),
    Measure(
        "excess_return", "Excess return", "Total return less that of buy and hold in the same universe.",
        "percent", "higher", True, lambda a: of.excess_return(of.total_return(a.equity), a.benchmark),
    ),
    Measure(
        "pnl", "Profit and loss", "Net profit over the horizon in the currency of the account.",
        "currency", "higher", True, lambda a: of.pnl(a.equity),
    ),
)  # fmt: skip

MEASURES: MappingProxyType[str, Measure] = MappingProxyType({row.name: row for row in _ROWS})
"""Every measure by name, in the order of `result.json`; the report and the documentation follow this table."""


def measures(
    backtest: Backtest, periods_per_year: float, benchmark: Backtest | None = None, risk_free: float = 0.0
) -> pd.DataFrame:
    """All measures of a strategy in each universe.

    Args:
        backtest: of the strategy.
        periods_per_year: bars in a year.
        benchmark: buy and hold in the same universes, which `excess_return` compares with; None leaves it undefined.
        risk_free: interest a year, which Sharpe and Sortino subtract bar by bar.

    Returns:
        (N,) rows indexed by universe id, one column per measure in the order of `MEASURES`.
    """
    account = Account.of(backtest, periods_per_year, benchmark, risk_free)
    columns = {name: row.compute(account) for name, row in MEASURES.items()}
    return pd.DataFrame(columns, index=pd.Index(backtest.ids, name="universe"))
