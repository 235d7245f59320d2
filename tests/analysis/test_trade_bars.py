"""Lists laid over bars: the account that they imply is theirs to the last digit, and wrong bars are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.trade_bars import lay_over
from stresslab.core.errors import DataError, InputError
from stresslab.data.trades import TradeList
from tests.make.bars import make_bars
from tests.make.trades import random_places, trades_at

BARS = make_bars(300)
PLACES = random_places(300, 1)


def test_the_account_is_that_of_the_list() -> None:
    """Bar by bar it grows to the capital and all profits, costs included."""
    trades = trades_at(BARS, PLACES, units=10, fee=0.05)
    found = lay_over(trades, BARS, capital=5000)
    assert np.prod(1 + found.growth) * 5000 == pytest.approx(5000 + trades.profit.sum(), rel=1e-12)
    assert found.costs == pytest.approx((0.5 / (5000 + np.cumsum([0, *trades.profit[:-1]]))).sum())
    assert found.inside == 1.0
    assert not found.assumed
    assert found.instant == found.left_out == 0
    assert (found.low <= np.minimum(found.growth, 0)).all()
    assert (found.high >= np.maximum(found.growth, 0)).all()


def test_positions_are_held_from_fill_to_fill() -> None:
    """Entered at an open, a position counts from that bar on, up to the bar at whose open it is left."""
    found = lay_over(trades_at(BARS, PLACES), BARS, capital=1000)
    shift = PLACES[0][1]  # the first bar is that of the first entry
    side = np.zeros(len(found.position))
    for one, first, last in PLACES:
        side[first - shift : last - shift] = one
    assert np.array_equal(np.sign(found.position), side)
    one, first, last = PLACES[3]
    opens = BARS.values[first : last + 1, 0]
    bought = opens[0] / (1000 + trades_at(BARS, PLACES[:3]).profit.sum())
    assert found.position[first - shift] == pytest.approx(one * bought)


def test_fills_at_closes_count_from_the_next_bar() -> None:
    """A trade entered and left at closes holds the bars between."""
    trades = trades_at(BARS, PLACES)
    closes = BARS.values[:, 3]
    first, last = (np.array([place[at] for place in PLACES]) for at in (1, 2))
    found = lay_over(replace(trades, entry_price=closes[first], exit_price=closes[last]), BARS)
    assert (found.last - found.first == last - first).mean() > 0.9  # but where open and close are as near
    assert found.first[0] == 1


def test_the_least_capital_pays_for_every_position() -> None:
    """Without a capital given, the account is never in debt, and one unit more would be."""
    trades = trades_at(BARS, [(1, 10, 20), (1, 15, 30), (-1, 40, 50), (1, 60, 61), (1, 70, 80)], units=3)
    found = lay_over(trades, BARS)
    opens = BARS.values[:, 0]
    assert found.assumed
    both = 3 * (opens[10] + opens[15])
    assert found.capital == pytest.approx(max(both, *(3 * opens[at] - trades.profit[:k].sum()
                                                      for at, k in ((40, 2), (60, 3), (70, 4)))))  # fmt: skip
    assert found.position.max() == pytest.approx(1.0, abs=0.2)


def test_the_value_of_a_point() -> None:
    """A future's multiplier follows from its profits."""
    found = lay_over(trades_at(BARS, PLACES, multiplier=50.0), BARS, capital=100_000)
    assert found.value == 50
    assert "about 50" in found.notices[0]
    assert lay_over(trades_at(BARS, PLACES), BARS).value == 1


def test_a_list_of_times_alone() -> None:
    """Without prices, sizes and profits every trade holds all of the account, from open to open."""
    trades, nothing = trades_at(BARS, PLACES), np.full(len(PLACES), np.nan)
    bare = replace(trades, units=nothing, entry_price=nothing, exit_price=nothing, profit=nothing)
    found = lay_over(bare, BARS)
    opens = BARS.values[:, 0]
    moves = [1 + side * (opens[last] / opens[first] - 1) for side, first, last in PLACES]
    assert np.prod(1 + found.growth) == pytest.approx(np.prod(moves))
    assert np.abs(found.position).max() < 1.5
    assert np.isnan(found.inside)


def test_another_clock_is_found() -> None:
    """Times of another zone are refused with the hours that put them right."""
    hourly = make_bars(900, freq="h")
    trades = trades_at(hourly, random_places(900, 2))
    with pytest.raises(DataError, match=r"times are moved by \+3 hours: its clock is another one; give `shift=3`"):
        lay_over(trades.moved(-3), hourly)
    assert lay_over(trades.moved(-3).moved(3), hourly).inside == 1.0


def test_bars_of_another_market_are_refused() -> None:
    """Prices that no bar reached are not of these bars."""
    trades = trades_at(BARS, PLACES)
    other = replace(trades, entry_price=trades.entry_price * 3, exit_price=trades.exit_price * 3)
    with pytest.raises(DataError, match="the bars are of another market, or adjusted otherwise"):
        lay_over(other, BARS)
    with pytest.raises(DataError, match=r"0 of \d+ trades .* lie within the bars"):
        lay_over(trades.moved(24 * 3000), BARS)


def test_trades_outside_the_bars_are_counted() -> None:
    """They are left out and said."""
    found = lay_over(trades_at(BARS, PLACES), BARS[:200])
    assert found.left_out == sum(place[2] >= 200 for place in PLACES)
    assert any("outside the bars" in notice for notice in found.notices)


def test_a_capital_that_is_lost_is_refused() -> None:
    """An account that its own trades ruin did not begin with that."""
    trades = trades_at(BARS, PLACES, units=10)
    with pytest.raises(InputError, match="is lost"):
        lay_over(trades, BARS, capital=15)
    with pytest.raises(InputError, match="is not an amount"):
        lay_over(trades, BARS, capital=-1)


def test_a_capital_that_could_not_hold_the_positions_is_refused() -> None:
    """Beyond a hundred times the account, by what was open at the time; up to it credit is named."""
    trades = trades_at(BARS, [(1, 10, 20), (1, 15, 30), (-1, 40, 50), (1, 60, 61), (1, 70, 80)], units=20)
    held = 20 * (BARS.values[10, 0] + BARS.values[15, 0])
    with pytest.raises(InputError, match=rf"cannot pay for the list: at .* positions worth {held:,.0f} are open"):
        lay_over(trades, BARS, capital=held / 101)
    found = lay_over(trades, BARS, capital=held / 2)
    assert any("times the account, which trades on credit" in notice for notice in found.notices)
    assert not any("credit" in notice for notice in lay_over(trades, BARS).notices)


def test_trades_inside_one_bar_keep_their_profit() -> None:
    """Bars say nothing about when they were, but the account has what they earned."""
    stamp = BARS.timestamps[[20, 40, 60, 80, 100, 120]]
    opens = BARS.values[[20, 40, 60, 80, 100, 120], 0]
    table = pd.DataFrame({"side": 1, "units": 1.0, "entered": stamp, "left": stamp, "entry_price": opens,
                          "exit_price": opens * 1.0001, "profit": 0.01 * opens})  # fmt: skip
    found = lay_over(TradeList.of(table, "test", "made"), BARS, capital=1000)
    assert found.instant == 6
    assert not found.position.any()
    assert np.prod(1 + found.growth) * 1000 == pytest.approx(1000 + 0.01 * opens.sum())
