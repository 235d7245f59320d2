"""Accounts of fills against the same fills booked in the plainest words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.backtest import Costs, Terms
from stresslab.backtest.fill_accounts import FillTable, book_fills, booked_trades, read_fills
from stresslab.strategy.fills import ALL, SLOTS, Fills
from tests.backtest.order_reference import STAMPS, STEPS, YEAR
from tests.make.bars import make_bars
from tests.strategy.cases import make_panel


def random_case(seed: int, lanes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Prices (1, T, 4) and fills (1, T, S, 3) of trades that open and close, whole and in part."""
    rng, prices = np.random.default_rng(seed), make_bars(STEPS, seed=seed % 1000).values[:, :4]
    table = np.full((STEPS, SLOTS, 3), np.nan)
    held: set[int] = set()
    for t in range(STEPS):
        for slot in range(int(rng.integers(0, 4))):
            lane = int(rng.integers(0, lanes))
            price = prices[t, 0] if rng.random() < 0.5 else float(rng.uniform(prices[t, 2], prices[t, 1]))
            if lane not in held:
                table[t, slot] = lane + 1, price, rng.choice([-1, 1]) * rng.uniform(0.1, 0.9)
                held.add(lane)
            elif rng.random() < 0.2:
                table[t, slot] = ALL, price, 1.0
                held.clear()
            else:
                portion = 1.0 if rng.random() < 0.6 else float(rng.uniform(0.1, 0.9))
                table[t, slot] = -(lane + 1), price, portion
                held -= {lane} if portion == 1.0 else set()
    return prices[None], table[None]


def plainly(prices: Any, fills: Any, terms: Terms, slip: float) -> tuple[list[float], int]:
    """Equity at each close, and how many trades were closed."""
    costs, cash = terms.costs, terms.init_cash
    open_trades: dict[int, float] = {}
    curve, closed = [cash], 0

    def worth(price: float) -> float:
        return cash + sum(open_trades.values()) * price

    for t in range(len(prices)):
        at, opening = None, True
        for lane, price, size in fills[t]:
            if np.isnan(lane):
                break
            if opening and price != prices[t, 0]:  # what fills at the open is paid for by itself
                at, opening = None, False
            fixed = 0.0 if price == at else costs.fixed_fee
            if lane > 0:
                sign, value = np.sign(size), worth(price)
                fill = price * (1 + sign * slip)
                free = terms.max_leverage * value - sum(abs(units) for units in open_trades.values()) * price
                units = max(min(abs(size) * value, free) - fixed, 0) / (fill * (1 + costs.fees))
                if units * fill <= 1e-12 * abs(value) or units * fill < costs.min_trade:
                    continue
                cash -= sign * units * fill + units * fill * costs.fees + fixed
                open_trades[int(lane)] = sign * units
                at = price
                continue
            for one in list(open_trades) if lane == ALL else [int(-lane)]:
                if one not in open_trades:
                    continue
                units = open_trades[one] * size
                fill = price * (1 - np.sign(units) * slip)
                cash += units * fill - abs(units) * fill * costs.fees - fixed
                fixed, at, closed = 0.0, price, closed + 1
                open_trades[one] -= units
                if size == 1.0:
                    del open_trades[one]
        if t == len(prices) - 1:
            fixed = costs.fixed_fee
            for units in open_trades.values():
                fill = prices[t, 3] * (1 - np.sign(units) * slip)
                cash += units * fill - abs(units) * fill * costs.fees - fixed
                fixed, closed = 0.0, closed + 1
            open_trades.clear()
        curve.append(worth(prices[t, 3]))
    return curve, closed


@settings(deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.0, 3.0]), st.sampled_from([0.0, 5000.0]))
def test_accounts_are_those_of_the_plainest_loop(seed: int, fixed: float, least: float) -> None:
    """Equity to nine digits and every closed trade, with fees, slippage, fixed fees and a smallest order."""
    prices, fills = random_case(seed)
    terms = Terms(Costs(0.001, 0.0, fixed_fee=fixed, min_trade=least))
    slippage = np.full((1, STEPS), 0.0005)
    table = FillTable(fills, np.array([False]), np.zeros((1, 3)))
    account = book_fills(table, prices, slippage, terms, YEAR, np.array([0]), STAMPS)
    curve, closed = plainly(prices[0], fills[0], terms, 0.0005)
    np.testing.assert_allclose(account.equity[:, 0], curve, rtol=1e-9)
    assert account.trades[0] == closed == len(booked_trades(table, prices, slippage, terms, YEAR))
    assert account.low is not None
    assert account.high is not None
    assert (account.low[:, 0] <= account.equity[1:, 0] * (1 + 1e-12)).all()
    assert (account.high[:, 0] >= account.equity[1:, 0] * (1 - 1e-12)).all()


@pytest.mark.parametrize(("position", "trades"), [("carry", 1), ("flat", 0)])
def test_a_trade_of_the_warm_up_is_carried(position: str, trades: int) -> None:
    """What was open at the origin, less what had left, is bought at the first open; it leaves where the class does."""
    panel = make_panel(universes=1)
    low, fills = panel.array("low")[:, 0], Fills(panel.rows)
    lane = fills.enter(10, low[10], 0.8)
    fills.leave(20, lane, low[20], 0.5)
    fills.leave(panel.warmup + 4, lane, low[panel.warmup + 4])
    table = read_fills(fills.decisions(panel), panel.warmup, position)
    assert table.carried[0].tolist() == ([0.4] if position == "carry" else [0.0])
    prices = np.stack([panel.array(name)[panel.warmup :, 0] for name in ("open", "high", "low", "close")], axis=-1)
    terms = Terms(Costs(0.0, 0.0))
    found = booked_trades(table, prices[None].copy(), np.zeros((1, len(prices))), terms, YEAR)
    assert len(found) == trades
    if trades:
        assert found.iloc[0][["entry_bar", "exit_bar"]].tolist() == [0, 4]
        assert found.iloc[0]["exit_price"] == low[panel.warmup + 4]
        assert found.iloc[0]["units"] == pytest.approx(0.4 * terms.init_cash / prices[0, 0])


def test_an_account_of_nothing_is_ruined_once() -> None:
    """A short position that loses everything ends the account, and nothing trades after that."""
    prices = np.array([[100.0, 100, 100, 100], [100, 250, 100, 250], [250, 260, 240, 250]])[None]
    fills = np.full((1, 3, SLOTS, 3), np.nan)
    fills[0, 0, 0], fills[0, 2, 0] = (1, 100.0, -1.0), (2, 250.0, 1.0)
    table = FillTable(fills, np.array([False]), np.zeros((1, 2)))
    account = book_fills(table, prices, np.zeros((1, 3)), Terms(Costs(0.0, 0.0)), YEAR, np.array([0]), STAMPS[:3])
    assert account.ruined[0]
    assert (account.trades[0], account.traded[2, 0]) == (1, 0.0)
    assert account.equity[-1, 0] == account.equity[-2, 0] < 0
