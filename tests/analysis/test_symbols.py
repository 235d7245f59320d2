"""A result over several symbols: parts that add up, dependence real and simulated, and one rule judged on all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.case import Case, Frozen
from stresslab.analysis.edge import fresh_bars_timing
from stresslab.analysis.reoptimisation import procedure
from stresslab.analysis.result_symbols import Symbols
from stresslab.analysis.symbols import symbols
from stresslab.backtest import Costs, Terms
from stresslab.data.bars import Bars
from stresslab.data.market import Market
from stresslab.data.market_index import IndexBars
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy import load_strategies
from tests.make.markets import make_market

MARKET = make_market(count=500)
TERMS = Terms(costs=Costs(fees=0.0, slippage=0.0), warmup=50)


def case(function: Any, market: Market = MARKET, dependence: str = "empirical") -> Case:
    """A function's case on a bootstrap of a market."""
    history = IndexBars.of(market)
    made = StationaryBootstrap(block=5, dependence=dependence).sample(history, 30, 300, seed=1)  # type: ignore[arg-type]
    return Case(load_strategies(function, {}, None)[0], made, history, TERMS)


def hold(market):
    """Equal parts of all symbols."""
    return {symbol: market[symbol].close * 0 + 1 / len(market) for symbol in market}


def follow(bars):
    """Long after a rise, short after a fall."""
    return np.sign(bars.close.pct_change()).fillna(0.0)


def following(momentum: np.ndarray, count: int = 700) -> Market:
    """Symbols whose returns follow the return before, each by its own share."""
    rng = np.random.default_rng(0)
    shocks = 0.01 * (rng.normal(size=(count, len(momentum))) + 0.5 * rng.normal(size=(count, 1)))
    returns = shocks.copy()
    for row in range(1, count):
        returns[row] += momentum * returns[row - 1]
    closes, stamps = 100 * np.exp(returns.cumsum(axis=0)), pd.date_range("2015-01-01", periods=count)
    series = []
    for at in range(len(momentum)):
        close = closes[:, at]
        opened = np.concatenate([close[:1], close[:-1]])
        values = np.stack([opened, np.maximum(opened, close), np.minimum(opened, close), close, close, close], axis=1)
        series.append(Bars(stamps, values, symbol=f"S{at}"))
    return Market.align(series)


def test_parts_add_up_and_diversification_lies_between() -> None:
    """Contributions add up to the account; together is worse than independent and better than all at once."""
    studied = case(hold)
    found = symbols(studied, 0)
    assert found is not None
    assert Symbols.of(found).rule is None
    account = studied.account
    whole = account.equity[-1] / account.equity[0] - 1
    assert sum(row["mean"] for row in found["symbols"]) == pytest.approx(whole.mean())
    sides = [
        found["diversification"][name]["expected_shortfall_97_5"]["value"]
        for name in ("independent", "together", "at_once")
    ]
    assert sides[0] < sides[1] < sides[2]
    worst = found["worst"][0]
    assert worst["total_return"] == pytest.approx(whole.min())
    assert sum(worst["contributions"].values()) == pytest.approx(whole.min())


def test_independent_universes_show_in_the_correlations() -> None:
    """Where universes know of no dependence, simulated correlations miss the real ones by about their size."""
    close, apart = (symbols(case(hold, dependence=kind), 0) for kind in ("empirical", "independent"))
    assert close is not None
    assert apart is not None
    assert close["dependence"]["correlation_error"] < 0.05
    assert apart["dependence"]["correlation_error"] > 0.5


@pytest.mark.parametrize(
    ("momentum", "word"),
    [
        (np.full(6, 0.25), "general"),
        (np.array([0.6, 0.6, 0, 0, 0, 0]), "concentrated"),
        (np.zeros(6), "unproven"),
    ],
)
def test_one_rule_on_many_symbols(momentum: np.ndarray, word: str) -> None:
    """A rule that is right on all symbols is general, on two of six concentrated, on none unproven."""
    found = symbols(case(follow, following(momentum)), 99)
    assert found is not None
    rule = found["rule"]
    assert rule["breadth"] == word, rule
    assert 1 <= rule["effective_symbols"] <= 6
    assert len([row["timing"] for row in found["symbols"]]) == 6


def test_one_series_has_no_parts() -> None:
    """A case of one series answers nothing."""
    history = MARKET["S0"]
    universes = StationaryBootstrap(block=5).sample(history, 30, 20)
    assert symbols(Case(load_strategies(follow, {}, None)[0], universes, history, TERMS), 99) is None


def _at_span(span: int) -> Any:
    def weights(market: Any) -> Any:
        return np.sign(market.close.pct_change(span)).fillna(0.0) / len(market)

    return weights


def test_fresh_bars_and_the_procedure_of_a_grid_are_those_of_all_symbols() -> None:
    """What a frozen rule earns by its timing since, and a grid traded window by window, on symbols that follow."""
    market = following(np.array([0.35, 0.35, 0.35]), 1400)
    bars, rule = IndexBars.of(market), load_strategies(_at_span(1), {}, None)[0]
    made = StationaryBootstrap(block=5).sample(bars, 30, 20, seed=1)
    frozen = Frozen(bars, bars.timestamps[699], 1)
    found = fresh_bars_timing(Case(rule, made, bars, TERMS, frozen=frozen))
    assert found is not None
    assert found.bars == 700
    assert found.sharpe > 3 * found.error
    grid = [load_strategies(_at_span(span), {}, None)[0] for span in (120, 1)]
    stitched = procedure(grid, bars, TERMS)
    assert stitched is not None
    assert stitched[0].position.shape[1] == 3
    assert set(stitched[0].chosen) == {1}
    assert stitched[1].label == "yes"
