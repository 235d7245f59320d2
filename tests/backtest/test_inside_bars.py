"""Equity inside bars against a loop over prices."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stresslab.backtest import Backtest, Costs, Stops, Terms, backtest
from stresslab.data.bars import FIELDS
from stresslab.data.market_index import IndexBars, IndexUniverses
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy import load_strategies
from tests.make.bars import make_bars
from tests.make.markets import make_market

OPEN, HIGH, LOW, CLOSE = (FIELDS.index(name) for name in ("open", "high", "low", "close"))


def weights(bars: pd.DataFrame) -> pd.DataFrame:
    """Long above the mean of ten closes, short below."""
    mean = bars.close.rolling(10).mean()
    return (bars.close > mean).astype(float) - (bars.close < mean).astype(float)


@pytest.fixture(scope="module")
def universes() -> Universes:
    """Forty universes of sixty bars."""
    return StationaryBootstrap().sample(make_bars(300), 60, 40, 3)


def traded(universes: Universes, terms: Terms, inside: bool = True) -> Backtest:
    """The strategy's accounts, valued inside bars or not."""
    (strategy,) = load_strategies(weights, {})
    return backtest(strategy, universes, terms, inside=inside)


def test_lows_and_highs_are_those_of_a_loop(universes: Universes) -> None:
    """Without costs, units held times each price, and the cash beside them, give the same extremes."""
    account = traded(universes, Terms(costs=Costs(0.0, 0.0)))
    for universe in range(len(universes)):
        bars = universes.values[universe].astype(np.float64)
        cash, units = account.init_cash, 0.0
        for bar in range(universes.horizon):
            value = cash + units * bars[bar, OPEN]
            units = account.position[bar, universe] * value / bars[bar, OPEN]
            cash = value - units * bars[bar, OPEN]
            worth = [cash + units * bars[bar, at] for at in (OPEN, HIGH, LOW, CLOSE)]
            assert account.low[bar, universe] == pytest.approx(min(worth), rel=1e-9)
            assert account.high[bar, universe] == pytest.approx(max(worth), rel=1e-9)
            assert account.equity[bar + 1, universe] == pytest.approx(worth[3], rel=1e-9)


def test_accounts_are_the_same_inside_or_not(universes: Universes) -> None:
    """Looking inside bars changes nothing at their closes."""
    terms = Terms(costs=Costs(0.001, 0.001))
    assert traded(universes, terms).equity == pytest.approx(traded(universes, terms, inside=False).equity, rel=1e-9)
    assert traded(universes, terms, inside=False).low is None


def test_a_stop_bounds_the_low(universes: Universes) -> None:
    """Where a stop leaves, the account was worth no less than after it, and before it the high may have come."""
    account = traded(universes, Terms(costs=Costs(0.0, 0.0), stops=Stops(stop_loss=0.01)))
    free = traded(universes, Terms(costs=Costs(0.0, 0.0)))
    starts = np.maximum(account.equity[:-1], 1.0)
    assert (account.low <= account.equity[1:] + 1e-6).all()
    assert (account.high >= account.equity[1:] - 1e-6).all()
    assert (account.low / starts).min() > (free.low / free.equity[:-1]).min()


def test_a_market_is_bounded_by_its_symbols() -> None:
    """Each symbol at its worst at once is the low of an account over several."""
    index = StationaryBootstrap().sample(IndexBars.of(make_market(2, 300)), 20, 10, 1)
    assert isinstance(index, IndexUniverses)
    (strategy,) = load_strategies(weights, {})
    account = backtest(strategy, index, Terms(costs=Costs(0.0, 0.0)), inside=True)
    values = index.symbols.astype(np.float64)
    for universe in range(10):
        for bar in range(20):
            held = account.positions[:, bar, universe]
            moves = values[universe, :, bar] / values[universe, :, bar, OPEN][:, None] - 1
            filled = account.equity[bar + 1, universe] / (1 + held @ moves[:, CLOSE])
            worst = filled * (1 + np.minimum(held * moves[:, HIGH], held * moves[:, LOW]).sum())
            assert account.low[bar, universe] == pytest.approx(
                min(worst, filled, account.equity[bar + 1, universe]), rel=1e-9
            )
