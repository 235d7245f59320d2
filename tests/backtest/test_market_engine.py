"""Strategies on a market: one account, or a rule on each symbol; costs of a symbol's own."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.backtest import Costs, Terms, backtest, buy_and_hold
from stresslab.backtest.result import JointBacktest
from stresslab.core.errors import InputError
from stresslab.data.market_index import IndexBars
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy import load_strategies
from tests.make.markets import make_market

INDEX = IndexBars.of(make_market(count=200))
UNIVERSES = StationaryBootstrap(block=5).sample(INDEX, 20, 8, seed=1)


def equal(market):
    """Equal parts."""
    return {symbol: market[symbol].close * 0 + 1 / len(market) for symbol in market}


def account(terms: Terms) -> JointBacktest:
    """The equal parts' accounts."""
    made = backtest(load_strategies(equal, {}, None)[0], UNIVERSES, terms)
    assert isinstance(made, JointBacktest)
    return made


def test_costs_of_one_symbol() -> None:
    """A symbol that costs more brings less, and the others what they brought."""
    free = Terms(costs=Costs(fees=0.0, slippage=0.0))
    dear = Terms(costs=Costs(fees=0.0, slippage=0.0), symbol_costs={"S1": Costs(fees=0.01, slippage=0.0)})
    one, other = account(free), account(dear)
    assert (other.contributions[1] < one.contributions[1]).all()
    np.testing.assert_allclose(other.contributions[[0, 2]], one.contributions[[0, 2]], rtol=0.01, atol=30)


def test_every_bar_keeps_weights() -> None:
    """Rebalanced at every bar weights stay equal; a band is refused in one line."""
    kept = account(Terms(rebalance="every-bar")).positions
    np.testing.assert_allclose(kept, 1 / 3, atol=2e-3)
    assert np.ptp(account(Terms()).positions) > 0.01
    with pytest.raises(InputError, match="is for accounts of one series"):
        account(Terms(rebalance="band=0.05"))


def test_holding_a_market_is_holding_its_symbols() -> None:
    """Buy and hold of a market is the mean of its symbols'."""
    parts = [buy_and_hold(UNIVERSES.joint[symbol]).equity for symbol in INDEX.market.symbols]
    np.testing.assert_allclose(buy_and_hold(UNIVERSES).equity, np.mean(parts, axis=0))
