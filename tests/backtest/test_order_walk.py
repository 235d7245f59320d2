"""Orders with prices: filled as an event loop in plain words fills them, and as worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.backtest import Costs, Terms
from stresslab.backtest.order_fills import PriceOrders, fill_orders, price_orders, trades_of
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.strategy.order_frames import LEVELS, Orders
from stresslab.strategy.panel import SIDES, OrderRules, Panel
from tests.backtest.order_reference import STAMPS, STEPS, YEAR, Loop, random_case


def compare(seed: int) -> None:
    """One random account, filled by both."""
    rng = np.random.default_rng(seed)
    rules = OrderRules(int(rng.integers(0, 4)), int(rng.integers(1, 4)), bool(rng.integers(0, 2)))
    costs = Costs(
        fees=0.001, fixed_fee=float(rng.choice([0.0, 5.0])), borrow_fee=0.05, funding=float(rng.choice([0.0, 0.1])),
        min_trade=float(rng.choice([0.0, 3000.0])),
    )  # fmt: skip
    terms = Terms(costs=costs, max_leverage=float(rng.choice([1.0, 3.0, 8.0])), risk_free=0.03)
    decisions, bars, slippage = random_case(rng, rules, units=bool(rng.integers(0, 2)))
    orders = price_orders(decisions, 1)
    account = fill_orders(orders, bars, slippage, terms, YEAR, np.zeros(1, dtype=np.int64), STAMPS)
    loop, curve = Loop(costs, terms, rules), [terms.init_cash]
    for bar in range(STEPS):
        flags = dict(zip(SIDES, orders.flags[0, bar].tolist(), strict=True))
        levels = {name: float(array[bar, 0]) for name, array in decisions.levels.items()}
        loop.step(bar, bars[0, bar], flags, levels, float(slippage[0, bar]))
        curve.append(loop.equity(bars[0, bar, 3]))
    np.testing.assert_allclose(account.equity[:, 0], curve, rtol=1e-9)
    table = trades_of(orders, bars, slippage, terms, YEAR).to_numpy(dtype=np.float64)
    np.testing.assert_allclose(table, np.array(loop.closed).reshape(-1, 6), rtol=1e-9, atol=1e-6)
    assert account.trades[0] == len(loop.closed)
    assert account.ruined[0] == (not loop.alive)
    np.testing.assert_allclose(account.interest[0], loop.interest, rtol=1e-9)
    gained = account.gross_profit[0] - account.gross_loss[0] + account.interest[0]
    np.testing.assert_allclose(gained, curve[-1] - curve[0], rtol=1e-9, atol=1e-6)


def test_accounts_are_those_of_an_event_loop() -> None:
    """Random orders on random terms: equity and every trade, to 1e-9."""
    for seed in range(300):
        compare(seed)


@pytest.mark.slow
def test_thousands_of_accounts_are_those_of_an_event_loop() -> None:
    """The same in 5,000 other cases."""
    for seed in range(1000, 6000):
        compare(seed)


def test_every_kind_of_event_is_among_the_random_cases() -> None:
    """The cases hold partial exits, refusals and ruined accounts, so that agreeing on them means something."""
    ruined = trades = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        decisions, bars, slippage = random_case(rng, OrderRules(2, 3, True), units=False)
        terms = Terms(max_leverage=8.0)
        found = fill_orders(
            price_orders(decisions, 1), bars, slippage, terms, YEAR, np.zeros(1, dtype=np.int64), STAMPS
        )
        ruined, trades = ruined + int(found.ruined[0]), trades + int(found.trades[0])
    assert ruined >= 3
    assert trades > 500


def filled(prices: list[list[float]], orders: Orders, **terms: Any) -> pd.DataFrame:
    """The trades of orders on a few bars, whose first is the row that decides; without costs."""
    frame = pd.DataFrame(prices, columns=["open", "high", "low", "close"], dtype=float)
    count = len(frame)
    frame = pd.concat([frame.iloc[[0] * 40], frame])
    frame.index = pd.date_range("2024-01-01", periods=len(frame), freq="D")
    bars = Bars.from_frame(frame)
    panel = Panel.of(Universes.from_bars(bars[41:], bars[:41]), 1)
    values, free = bars.values[None, 41:, :4], np.zeros((1, count - 1))
    return trades_of(
        price_orders(orders.decisions(panel), 1), values, free, Terms(costs=Costs(fees=0, slippage=0), **terms), YEAR
    )


def at(row: int, rows: int) -> np.ndarray:
    """True in one row (rows, 1)."""
    return (np.arange(rows) == row)[:, None]


@pytest.mark.parametrize(
    ("bar", "order", "entry", "leaves"),
    [
        ([100, 104, 99, 103], {"stop": 102.0}, 102.0, None),
        ([105, 106, 104, 105], {"stop": 102.0}, 105.0, None),  # a gap through the stop fills at the open
        ([100, 104, 97, 103], {"limit": 98.0}, 98.0, None),
        ([95, 104, 94, 103], {"limit": 98.0}, 95.0, None),  # and through a limit to the account's gain
        ([100, 104, 99, 103], {"stop": 102.0, "take_profit": 103.5}, 102.0, 103.5),  # passed after the entry
        ([100, 104, 97, 103], {"limit": 98.0, "take_profit": 103.5}, 98.0, None),  # perhaps before it
        ([100, 104, 96, 103], {"limit": 98.0, "stop_loss": 97.0}, 98.0, 97.0),
        ([100, 104, 96, 103], {"stop": 102.0, "stop_loss": 97.0, "take_profit": 103.5}, 102.0, 97.0),  # pessimistic
        ([100, 104, 96, 103], {"stop_loss": 97.0, "take_profit": 103.5}, 100.0, 97.0),
        ([90, 104, 89, 103], {"stop_loss": 97.0}, 90.0, 90.0),  # entered at an open below its stop
        ([90, 104, 89, 103], {"limit": 98.0, "stop_loss": 97.0}, 90.0, 90.0),
    ],
)
def test_one_bar_by_hand(bar: list[float], order: dict[str, float], entry: float, leaves: float | None) -> None:
    """Where an entry fills, and where its trade leaves in the same bar (else at the last close)."""
    prices = [[100, 101, 99, 100], bar, [103, 103, 103, 103]]
    (trade,) = filled(prices, Orders(long_entries=at(0, 3), **order)).itertuples()
    assert trade.entry_price == entry
    assert (trade.exit_bar, trade.exit_price) == ((1, 103.0) if leaves is None else (0, leaves))


def test_trailing_partial_exit_and_time_by_hand() -> None:
    """The stop follows the high of bars that are over; half is sold at an exit; what is left goes after three bars."""
    prices = [[100, 100, 100, 100], [100, 110, 100, 108], [108, 109, 106, 107], [107, 108, 98, 99], [99, 99, 99, 99]]
    trailing = filled(prices, Orders(long_entries=at(0, 5), trailing_stop=0.05))
    assert trailing[["exit_bar", "exit_price"]].to_numpy().tolist() == [[2, 104.5]]  # 5% below 110
    parts = filled(prices, Orders(long_entries=at(0, 5), long_exits=at(1, 5), exit_size=0.5, exit_after=3))
    assert parts["units"].tolist() == [500.0, 500.0]
    assert parts[["exit_bar", "exit_price"]].to_numpy().tolist() == [[1, 108.0], [3, 99.0]]


def test_an_entry_waits_for_its_lifetime() -> None:
    """A limit that is reached on the third bar fills unless it lived for two only, or an exit came before."""
    prices = [[100, 100, 100, 100]] * 3 + [[100, 100, 90, 95]] + [[95, 95, 95, 95]]
    entry = at(0, 5)
    assert len(filled(prices, Orders(long_entries=entry, limit=92.0))) == 1
    assert len(filled(prices, Orders(long_entries=entry, limit=92.0, lifetime=3))) == 1
    assert len(filled(prices, Orders(long_entries=entry, limit=92.0, lifetime=2))) == 0
    assert len(filled(prices, Orders(long_entries=entry, limit=92.0, long_exits=at(1, 5)))) == 0


def test_one_side_cancels_the_other() -> None:
    """A breakout either way: the nearer side fills and the other goes, or stays where that is asked for."""
    prices = [[100, 100, 100, 100], [100, 103, 99, 102], [102, 102, 95, 96], [96, 96, 96, 96]]
    both = at(0, 4)
    straddle = {"long_entries": both, "short_entries": both, "stop": (101.5, 98.0)}
    once = filled(prices, Orders(**straddle))
    assert once[["units", "exit_price"]].round(4).to_numpy().tolist() == [[round(100_000 / 101.5, 4), 96.0]]
    twice = filled(prices, Orders(**straddle, one_cancels_other=False))
    assert np.sign(twice["units"]).tolist() == [1, -1]
    assert twice["exit_price"].tolist() == [98.0, 96.0]


def test_adding_to_a_position() -> None:
    """Each entry opens a trade of its own while there are fewer than `entries`, as far as the credit reaches."""
    prices = [[100, 100, 100, 100]] * 5
    every = np.ones((5, 1), dtype=bool)
    assert len(filled(prices, Orders(long_entries=every, size=0.25))) == 1
    assert filled(prices, Orders(long_entries=every, size=0.25, entries=3))["units"].tolist() == [250.0] * 3
    assert filled(prices, Orders(long_entries=every, size=0.75, entries=3))["units"].tolist() == [750.0, 250.0]


def test_equity_inside_bars() -> None:
    """Down to the stop and not to the low where it is left, up to the target; else between low and high."""
    prices = [[100, 100, 100, 100], [100, 106, 96, 105], [105, 120, 90, 100], [100, 100, 100, 100]]
    frame = pd.DataFrame(prices, columns=["open", "high", "low", "close"], dtype=float)
    bars = frame.to_numpy()[None, 1:]
    ids, stamps, free = np.zeros(1, dtype=np.int64), STAMPS[:3], np.zeros((1, 3))
    flags = np.zeros((1, 3, 4), dtype=bool)
    flags[0, 0, 0] = True
    levels = np.full((1, 3, 2, len(LEVELS)), np.nan)
    levels[0, 0, 0, LEVELS.index("stop_loss")], levels[0, 0, 0, LEVELS.index("take_profit")] = 95.0, 110.0
    given = PriceOrders(flags, levels, OrderRules(0, 1, True))
    found = fill_orders(given, bars, free, Terms(costs=Costs(fees=0, slippage=0)), YEAR, ids, stamps)
    assert found.low is not None
    assert found.high is not None
    np.testing.assert_allclose(found.low[:, 0], [96_000, 95_000, 95_000])
    np.testing.assert_allclose(found.high[:, 0], [106_000, 110_000, 95_000])
    np.testing.assert_allclose(found.equity[:, 0], [100_000, 105_000, 95_000, 95_000])
