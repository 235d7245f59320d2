"""Bookkeeping of open trades: what leaves pays its costs and is counted, and what is left stays in order."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.backtest.open_trades import (
    NUMBERS,
    TRADES,
    Books,
    close_trade,
    end_ruined,
    equity_at,
    held_units,
    leave_all,
    new_account,
    stop_of,
)  # fmt: skip


def opened(units: list[float], cash: float = 1000.0, fees: float = 0.01, fixed: float = 1.0) -> tuple[object, Books]:
    """Trades entered at 10 for nothing, and the books of the account that holds them."""
    trades, _ = new_account(4)
    for k, held in enumerate(units):
        trades.units[k], trades.entry[k], trades.trailing[k] = held, 10.0, np.nan
    trades.count[0] = len(units)
    rates = np.array([fees, fixed, 0.0, 0.0, 0.0, 0.0, 1.0])
    summary = np.zeros(len(NUMBERS))
    return trades, Books(np.array([cash, 1.0]), summary, np.zeros(1), np.zeros(1), rates, np.zeros((0, 6)))


def test_part_of_a_trade_leaves_and_pays() -> None:
    """Half of 20 units at 12: 120 less 1% and the fixed fee, a gain of 20 less these."""
    trades, books = opened([20.0])
    assert equity_at(12.0, trades, books) == 1240.0
    assert close_trade(0, 0, 12.0, 0.5, 1.0, trades, books) == 0.0
    assert books.state[0] == pytest.approx(1000.0 + 120.0 - 1.2 - 1.0)
    assert books.summary[NUMBERS.index("gross_profit")] == pytest.approx(20.0 - 2.2)
    assert held_units(trades) == 10.0


def test_what_leaves_together_pays_one_fixed_fee() -> None:
    """Two trades leave, are counted, and nothing is open."""
    trades, books = opened([5.0, 5.0], fees=0.0)
    leave_all(0, 10.0, 1.0, trades, books)
    assert (trades.count[0], books.summary[TRADES]) == (0, 2)
    assert books.state[0] == 1000.0 + 100.0 - 1.0


def test_a_ruined_account_is_closed_where_it_is() -> None:
    """Without costs, and once."""
    trades, books = opened([-200.0])
    end_ruined(0, 4.0, trades, books)
    assert books.state[1] == 1.0
    end_ruined(0, 6.0, trades, books)
    assert (books.state[0], books.state[1], trades.count[0]) == (-200.0, 0.0, 0)


def test_the_nearer_stop_counts() -> None:
    """A trailing stop that has risen above the fixed one; of a short trade one that has fallen below it."""
    trades, _ = opened([1.0, -1.0])
    trades.stop[:2], trades.best[:2], trades.trailing[:2] = (9.0, 11.0), (12.0, 8.0), 0.1
    assert (stop_of(0, 1.0, trades), stop_of(1, -1.0, trades)) == (pytest.approx(10.8), pytest.approx(8.8))
