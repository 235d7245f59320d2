"""The formulas of performance: worked by hand, and equal to quantstats where it is right."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stresslab.metrics.performance import (
    annual_return,
    annual_volatility,
    bar_returns,
    calmar,
    deviation,
    drawdown,
    excess_return,
    exposure,
    max_drawdown,
    pnl,
    profit_factor,
    sharpe,
    sortino,
    time_under_water,
    total_return,
    turnover,
    win_rate,
)
from tests.make.columns import column


def test_hand_worked():
    """Equity 100, 110, 99, 99, 121 of four bars, a year of eight: every number by hand."""
    equity = column(100, 110, 99, 99, 121)
    returns = bar_returns(equity)
    assert returns[:, 0] == pytest.approx([0.1, -0.1, 0, 2 / 9])
    assert total_return(equity)[0] == pytest.approx(0.21)
    assert annual_return(equity, 8)[0] == pytest.approx(1.21**2 - 1)
    mean = (2 / 9) / 4
    deviation = math.sqrt(((0.1 - mean) ** 2 + (-0.1 - mean) ** 2 + mean**2 + (2 / 9 - mean) ** 2) / 3)
    assert annual_volatility(returns, 8)[0] == pytest.approx(deviation * math.sqrt(8))
    assert sharpe(returns, 8)[0] == pytest.approx(mean / deviation * math.sqrt(8))
    assert sortino(returns, 8)[0] == pytest.approx(mean / math.sqrt(0.01 / 4) * math.sqrt(8))
    drawdowns = drawdown(equity)
    assert drawdowns[:, 0] == pytest.approx([0, 0, -0.1, -0.1, 0])
    assert max_drawdown(drawdowns)[0] == pytest.approx(-0.1)
    assert time_under_water(drawdowns)[0] == 0.5
    assert calmar(annual_return(equity, 8), max_drawdown(drawdowns))[0] == pytest.approx(4.641)


def test_drawdown_starts_at_the_initial_capital():
    """A loss in the first bar is a drawdown from the initial capital: 100, 90, 95 fell by 10%."""
    assert max_drawdown(drawdown(column(100, 90, 95)))[0] == pytest.approx(-0.1)
    assert time_under_water(drawdown(column(100, 90, 95)))[0] == 1


def test_trade_measures():
    """Win rate, profit factor, exposure, turnover and excess return by hand."""
    assert win_rate(np.array([3.0]), np.array([4.0]))[0] == 0.75
    assert profit_factor(np.array([30.0]), np.array([-12.0]))[0] == profit_factor(np.array([30.0]), np.array([12.0]))[0]
    assert profit_factor(np.array([30.0]), np.array([-12.0]))[0] == 2.5
    assert exposure(column(0, 1, -0.5, 0))[0] == 0.5
    assert turnover(column(1, 0, 0, 1), 252)[0] == 126
    assert excess_return(np.array([0.1]), np.array([0.25]))[0] == pytest.approx(-0.15)


def test_undefined_is_nan():
    """What has a zero denominator is NaN: no variance, loss, drawdown or trades, one bar, growth beyond floats."""
    flat, rising = column(100, 100, 100), column(100, 101, 102.01)
    assert np.isnan(sharpe(bar_returns(flat), 252)[0])
    assert np.isnan(sharpe(bar_returns(rising), 252)[0])
    assert np.isnan(sortino(bar_returns(rising), 252)[0])
    assert np.isnan(calmar(annual_return(rising, 252), max_drawdown(drawdown(rising)))[0])
    assert np.isnan(win_rate(np.zeros(1), np.zeros(1))[0])
    assert np.isnan(profit_factor(np.zeros(1), np.zeros(1))[0])
    assert np.isnan(profit_factor(np.ones(1), np.zeros(1))[0])
    assert np.isnan(annual_volatility(bar_returns(column(100, 101)), 252)[0])
    assert np.isnan(sharpe(bar_returns(column(100, 101)), 252)[0])
    assert np.isnan(annual_return(column(100, 150), 525_600)[0])


def test_ruin():
    """After ruin no bar earns a return, the year lost everything, and nothing is NaN for want of capital."""
    for end in (0.0, -20.0):
        equity = column(100, 50, end, end, end)
        assert bar_returns(equity)[:, 0] == pytest.approx([-0.5, end / 50 - 1, 0, 0])
        assert total_return(equity)[0] == pytest.approx(end / 100 - 1)
        assert annual_return(equity, 252)[0] == -1
        assert max_drawdown(drawdown(equity))[0] == pytest.approx(end / 100 - 1)
        assert np.isfinite(sharpe(bar_returns(equity), 252)[0])


def test_quantstats_forgets_the_initial_capital():
    """Of an equity curve it sees a fall only from the first close: 100, 90, 95 falls by nothing, and not by 10%."""
    stats = pytest.importorskip("quantstats").stats
    closes = pd.Series([90.0, 95.0], index=pd.bdate_range("2020-01-01", periods=2))
    assert stats.max_drawdown(closes) == 0
    assert max_drawdown(drawdown(column(100, 90, 95)))[0] == pytest.approx(-0.1)


def test_vectorbt_forgets_the_initial_capital_and_counts_open_trades():
    """Its drawdown begins at the first close, and its win rate counts a trade that is still open."""
    vectorbt = pytest.importorskip("vectorbt")
    fills, closes, never = np.array([100.0, 95.0, 95.0]), np.array([90.0, 95.0, 95.0]), np.zeros(3, dtype=bool)
    account = vectorbt.Portfolio.from_signals(closes, ~never, never, price=fills, init_cash=100.0, freq="1D")
    assert list(account.value()) == [90, 95, 95]
    assert account.max_drawdown() == 0
    assert account.trades.win_rate() == 0  # of one trade, which is open
    assert np.isnan(account.trades.closed.win_rate())
    assert np.isnan(win_rate(np.zeros(1), np.zeros(1))[0])


def test_quantstats_win_rate_is_one_of_bars():
    """What it calls the win rate is the share of bars that gained, whatever was traded."""
    stats = pytest.importorskip("quantstats").stats
    returns = pd.Series([0.1, -0.01, -0.01], index=pd.bdate_range("2020-01-01", periods=3))  # one trade, which won
    assert stats.win_rate(returns) == pytest.approx(1 / 3)
    assert win_rate(np.ones(1), np.ones(1))[0] == 1


def test_interest_is_subtracted_from_the_ratios():
    """Sharpe and Sortino are those of quantstats at its risk-free rate of the same interest for each bar."""
    stats = pytest.importorskip("quantstats").stats
    returns = 0.001 + 0.02 * np.random.default_rng(5).standard_t(4, (250, 3))
    rate = 0.03
    compounded = (1 + rate / 252) ** 252 - 1  # quantstats takes the rate a year that compounds to it
    for universe in range(3):
        series = pd.Series(returns[:, universe], index=pd.bdate_range("2020-01-01", periods=250))
        assert sharpe(returns, 252, rate)[universe] == pytest.approx(stats.sharpe(series, rf=compounded), rel=1e-9)
        assert sortino(returns, 252, rate)[universe] == pytest.approx(stats.sortino(series, rf=compounded), rel=1e-9)
    assert np.isnan(sharpe(np.full((5, 1), rate / 252), 252, rate)[0])


equities = hnp.arrays(np.float64, st.tuples(st.integers(2, 40), st.integers(1, 5)), elements=st.floats(0.1, 1000))


@given(equities)
def test_returns_compound_to_the_total(equity: np.ndarray) -> None:
    """The product of one plus each bar's return is one plus the whole return, in every universe."""
    np.testing.assert_allclose((1 + bar_returns(equity)).prod(axis=0), 1 + total_return(equity), rtol=1e-9)


def test_pnl_is_what_is_left_less_what_there_was() -> None:
    """In currency, and the total return times the capital."""
    equity = column(100, 110, 75)
    assert pnl(equity)[0] == -25
    assert pnl(equity)[0] == pytest.approx(100 * total_return(equity)[0])


def test_a_deviation_of_rounding_is_none() -> None:
    """Returns that are constant but for the last digits do not vary; one bar says nothing about it."""
    constant = 0.01 + 1e-15 * np.arange(10.0)[:, None]
    assert deviation(constant)[0] == 0
    assert deviation(column(0.01, 0.03))[0] == pytest.approx(0.02 / 2**0.5)
    assert np.isnan(deviation(column(0.01))[0])


def test_many_bars_of_few_universes_fall_as_those_of_many():
    """To the last bit, whichever way is taken."""
    equity = np.abs(np.cumsum(np.random.default_rng(2).standard_normal((200, 3)), axis=0)) + 1.0
    wide = drawdown(np.tile(equity, (1, 100)))
    assert (drawdown(equity) == wide[:, :3]).all()
