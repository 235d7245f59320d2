"""The measures: worked by hand, equal to quantstats where it is right, and true to their invariants."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stresslab.metrics.measures import MEASURES, Account, MeasureInputs
from stresslab.metrics.performance import (
    annual_return,
    annual_volatility,
    bar_returns,
    calmar,
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

NAMES = [
    *("total_return", "annual_return", "annual_volatility", "sharpe", "sortino", "calmar", "max_drawdown"),
    *("time_under_water", "trades", "win_rate", "profit_factor", "exposure", "turnover", "excess_return", "pnl"),
]


def column(*numbers: float) -> np.ndarray:
    """One universe (T, 1)."""
    return np.array(numbers, dtype=float)[:, None]


equities = hnp.arrays(np.float64, st.tuples(st.integers(3, 40), st.integers(1, 5)), elements=st.floats(0.1, 1000))


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


@given(equities, st.floats(1e-3, 1e6))
def test_the_scale_of_the_capital_changes_nothing(equity, scale):
    """Another initial capital, or another currency, leaves every measure of equity alone."""
    for small, large in zip(of_equity(equity).values(), of_equity(scale * equity).values(), strict=True):
        assert small == pytest.approx(large, rel=1e-6, abs=1e-9, nan_ok=True)


@given(equities)
def test_bounds(equity):
    """With positive equity drawdowns lie in [-1, 0], shares in [0, 1], returns above -1; a drawdown holds the loss."""
    found = of_equity(equity)
    assert np.all((found["max_drawdown"] <= 0) & (found["max_drawdown"] > -1))
    assert np.all((found["time_under_water"] >= 0) & (found["time_under_water"] <= 1))
    assert np.all(found["total_return"] > -1)
    assert np.all(found["max_drawdown"] <= np.minimum(found["total_return"], 0) + 1e-12)
    assert np.all((found["max_drawdown"] < -1e-12) == (found["time_under_water"] > 0))
    assert np.all(np.sign(found["total_return"]) == np.sign(found["annual_return"]))


@given(equities)
def test_a_loop_says_the_same(equity):
    """The array formulas equal a bar-by-bar loop over each universe."""
    found = of_equity(equity)
    for universe in range(equity.shape[1]):
        peak, deepest, under = equity[0, universe], 0.0, 0
        for value in equity[1:, universe]:
            peak = max(peak, value)
            deepest = min(deepest, value / peak - 1)
            under += value / peak - 1 < -1e-12
        assert found["max_drawdown"][universe] == pytest.approx(deepest)
        assert found["time_under_water"][universe] == pytest.approx(under / (len(equity) - 1))


def test_equals_quantstats():
    """Sharpe, Sortino, volatility, growth, drawdown and Calmar are quantstats' on the same returns."""
    quantstats = pytest.importorskip("quantstats")
    rng = np.random.default_rng(3)
    returns = 0.001 + 0.02 * rng.standard_t(4, (300, 20))
    returns[0] = -0.01
    equity = 100 * np.vstack([np.ones(20), np.cumprod(1 + returns, axis=0)])
    found = of_equity(equity, 252)
    theirs = {
        "sharpe": quantstats.stats.sharpe,
        "sortino": quantstats.stats.sortino,
        "annual_volatility": quantstats.stats.volatility,
        "annual_return": quantstats.stats.cagr,
        "total_return": quantstats.stats.comp,
        "max_drawdown": quantstats.stats.max_drawdown,
        "calmar": quantstats.stats.calmar,
    }
    for universe in range(20):
        series = pd.Series(returns[:, universe], index=pd.bdate_range("2020-01-01", periods=300))
        for name, function in theirs.items():
            assert found[name][universe] == pytest.approx(function(series), rel=1e-9), name


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


def test_quantstats_kurtosis_is_the_excess():
    """It is 0 for the normal; the probabilistic Sharpe ratio takes the raw one, 3 (Bailey & Lopez de Prado 2012)."""
    stats = pytest.importorskip("quantstats").stats
    rng = np.random.default_rng(0)
    returns = pd.Series(0.01 * rng.normal(size=20_000), index=pd.date_range("1900-01-01", periods=20_000))
    raw = float(np.mean((returns - returns.mean()) ** 4) / np.mean((returns - returns.mean()) ** 2) ** 2)
    assert raw == pytest.approx(3, abs=0.15)
    assert stats.kurtosis(returns) == pytest.approx(raw - 3, abs=0.01)


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


def test_pnl_is_in_currency():
    """What is left over what there was at first."""
    assert pnl(column(100, 110, 75))[0] == -25
    found = account_of(column(100_000, 110_000))
    assert MEASURES["pnl"].compute(found)[0] == 10_000


def of_equity(equity: np.ndarray, periods_per_year: float = 12) -> dict[str, np.ndarray]:
    """The measures that follow from equity alone."""
    account = account_of(equity, periods_per_year)
    return {name: MEASURES[name].compute(account) for name in NAMES[:8]}


def account_of(equity: np.ndarray, periods_per_year: float = 12) -> MeasureInputs:
    """An account with this equity that always holds half of it and never trades."""
    bars, universes = len(equity) - 1, equity.shape[1]
    nothing = np.zeros(universes)
    account = Account(
        equity=equity,
        position=np.full((bars, universes), 0.5),
        traded=np.zeros((bars, universes)),
        trades=nothing,
        wins=nothing,
        gross_profit=nothing,
        gross_loss=nothing,
    )
    return MeasureInputs(account, periods_per_year, np.full(universes, np.nan))


def test_the_table_is_in_order_and_complete():
    """The names are those of the design, in its order, each with a label, a sentence and a format."""
    assert list(MEASURES) == NAMES
    for name, row in MEASURES.items():
        assert row.name == name
        assert row.label
        assert row.description.endswith(".")
        assert row.format in ("percent", "ratio", "count", "currency")
        assert row.better in ("higher", "lower", None)
    assert [name for name, row in MEASURES.items() if row.tail] == [
        *("total_return", "annual_return", "max_drawdown", "excess_return", "pnl")
    ]
