"""Accounts that vectorbt fills: by hand, in any currency, and where its own rules would interfere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.backtest import Backtest, Costs, Terms, backtest
from stresslab.backtest.orders import Signals
from stresslab.backtest.vectorbt_fills import fill
from tests.backtest.cases import CLOSES, FREE, OPENS, ROUNDING, market, rows, strategy


@pytest.mark.parametrize("scale", [1e-30, 1e-13, 1e-6, 1e6, 1e20])
@pytest.mark.parametrize("cash", [1e-6, 1000.0, 1e15])
def test_the_currency_changes_nothing(scale: float, cash: float) -> None:
    """Prices of any size and any cash give the same returns: no order is lost for its few units or many."""
    rng = np.random.default_rng(1)
    opens = 100 * np.exp(rng.normal(0, 0.02, (40, 3)).cumsum(axis=0))
    closes = opens * np.exp(rng.normal(0, 0.02, (40, 3)))
    for decided in (strategy(rng.random((41, 3)) < 0.3, rng.random((41, 3)) < 0.3), strategy(rng.random((41, 3)))):
        one = backtest(decided, market(opens, closes), Terms(init_cash=1000.0, warmup=1))
        two = backtest(decided, market(opens * scale, closes * scale), Terms(init_cash=cash, warmup=1))
        np.testing.assert_allclose(two.equity / cash, one.equity / 1000.0, rtol=1e-9)
        np.testing.assert_array_equal(one.trades, two.trades)


def test_a_price_that_falls_to_almost_nothing_is_traded() -> None:
    """A universe whose price loses nearly everything is filled all the same."""
    opens = [100.0, 100.0, 1e-14, 2e-14]
    run = backtest(strategy(rows(5, 2), rows(5, 3)), market(opens, opens), Terms(FREE, init_cash=1000.0, warmup=1))
    np.testing.assert_allclose(run.equity[:, 0], [1000, 1000, 1000, 1000, 2000])


def test_a_short_of_more_than_the_equity_is_covered_whole() -> None:
    """Covering costs more than there is cash, fees included: the account owes the rest, whoever fills."""
    opens = [100.0, 199.95, 199.95, 199.95]
    never = rows(5)
    terms = Terms(Costs(fees=0.001, slippage=0.0), init_cash=1000.0, warmup=1)
    decided = strategy(never, never, rows(5, 0), rows(5, 1))
    run = backtest(decided, market(opens, [100.0, 199.7, 199.95, 199.95]), terms)
    units = 1000.0 / (100.0 * 1.001)
    owed = 1000.0 + units * 100.0 * 0.999 - units * 199.95 * 1.001
    assert run.ruined[0]
    np.testing.assert_allclose(run.equity[2:, 0], owed)


def filled(orders: Any, fees: float = 0.0, slippage: Any = 0.0) -> tuple[Backtest, np.ndarray]:
    """An account of 1,000 at `OPENS` and `CLOSES`."""
    universe = market(OPENS, CLOSES)
    opens, closes = np.array(OPENS)[:, None], np.array(CLOSES)[:, None]
    return fill(orders, opens, closes, fees, slippage, 1000.0, universe.ids, universe.timestamps)


def entries(*long: int, short: tuple[int, ...] = (), leave: tuple[int, ...] = ()) -> Signals:
    """Signals that fill at these opens."""
    up, down, out = (rows(4, *at)[:, None] for at in (long, short, leave))
    return Signals(up, out, down, out)


def test_a_long_trade_by_hand() -> None:
    """In at 110 and out at 130 with a fee of 1% on each fill: 1,000 / 1.01 / 110 units, sold for 130 less 1%."""
    run, unsure = filled(entries(1, leave=(3,)), fees=0.01)
    units = 1000 / 1.01 / 110
    end = units * 130 * 0.99
    np.testing.assert_allclose(run.equity[:, 0], [1000, 1000, units * 115, units * 125, end], rtol=ROUNDING)
    np.testing.assert_allclose(run.traded[:, 0], [0, 1 / 1.01, 0, 1], rtol=ROUNDING)
    assert (run.trades[0], run.wins[0]) == (1, 1)
    np.testing.assert_allclose(run.gross_profit[0], end - 1000, rtol=ROUNDING)
    assert not unsure[0]


def test_a_position_left_open_is_closed_at_the_last_close() -> None:
    """In a row of its own, at a price worse by the slippage; both count to the last bar."""
    run, _ = filled(entries(0), slippage=0.01)
    units = 1000 / 101
    np.testing.assert_allclose(run.equity[-1, 0], units * 135 * 0.99, rtol=ROUNDING)
    np.testing.assert_allclose(run.traded[-1, 0], 0.99, rtol=ROUNDING)
    assert run.trades[0] == 1


def test_a_target_is_a_share_of_the_equity() -> None:
    """Half at 100, all at 120, NaN keeps the units."""
    run, _ = filled(np.array([[0.5], [np.nan], [1.0], [np.nan]]))
    half = 500 + 5 * 120.0
    np.testing.assert_allclose(run.equity[:, 0], [1000, 1025, 1075, half * 125 / 120, half * 135 / 120], rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:, 0], [0.5, 550 / 1050, 1, 1], rtol=ROUNDING)


def test_a_short_that_its_cash_may_not_cover_is_named() -> None:
    """Another filler has to decide what it owes; a short that the cash covers is sure."""
    universe = market([100.0, 250.0, 250.0, 250.0], [120.0, 250.0, 250.0, 250.0])
    opens, closes = universe.values[0, :, [0]].T, universe.values[0, :, [3]].T
    for orders, unsure in ((entries(short=(0,), leave=(1,)), True), (entries(short=(2,), leave=(3,)), False)):
        found = fill(orders, opens, closes, 0.0, 0.0, 1000.0, universe.ids, universe.timestamps)[1]
        assert found.tolist() == [unsure]
