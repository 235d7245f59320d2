"""The measures: worked by hand, equal to quantstats where it is right, and true to their invariants."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stresslab.metrics import measures
from stresslab.metrics.measures import MEASURES, Account, MeasureInputs
from tests.make.columns import column

NAMES = [
    *("total_return", "annual_return", "annual_volatility", "sharpe", "sortino", "calmar", "max_drawdown"),
    *("time_under_water", "trades", "win_rate", "profit_factor", "exposure", "turnover", "excess_return", "pnl"),
]


equities = hnp.arrays(np.float64, st.tuples(st.integers(3, 40), st.integers(1, 5)), elements=st.floats(0.1, 1000))


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


def test_quantstats_kurtosis_is_the_excess():
    """It is 0 for the normal; the probabilistic Sharpe ratio takes the raw one, 3 (Bailey & Lopez de Prado 2012)."""
    stats = pytest.importorskip("quantstats").stats
    rng = np.random.default_rng(0)
    returns = pd.Series(0.01 * rng.normal(size=20_000), index=pd.date_range("1900-01-01", periods=20_000))
    raw = float(np.mean((returns - returns.mean()) ** 4) / np.mean((returns - returns.mean()) ** 2) ** 2)
    assert raw == pytest.approx(3, abs=0.15)
    assert stats.kurtosis(returns) == pytest.approx(raw - 3, abs=0.01)


def test_pnl_is_in_currency():
    """What is left less what there was at first."""
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
    assert [name for name, row in MEASURES.items() if not row.added] == NAMES
    for name, row in MEASURES.items():
        assert row.name == name
        assert row.label
        assert row.description.endswith(".")
        assert row.format in ("percent", "ratio", "count", "currency")
        assert row.better in ("higher", "lower", None)
    assert [name for name, row in MEASURES.items() if row.tail] == [
        *("total_return", "annual_return", "max_drawdown", "excess_return", "pnl")
    ]


def test_a_measure_that_was_added_is_not_missing(monkeypatch):
    """A table from before it was thought of gets it undefined; any other measure that is not there is missed."""
    added = {**MEASURES, "new": replace(MEASURES["sharpe"], name="new", added=True)}
    monkeypatch.setattr(measures, "MEASURES", added)
    assert measures.later(["sharpe", "new"]) == {}
    assert list(measures.later(["sharpe"])) == ["new"]
    assert math.isnan(measures.later([])["new"])
