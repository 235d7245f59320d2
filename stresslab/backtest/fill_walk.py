"""Accounts of fills that another framework decided: they are booked at its prices, with the run's costs.

In each bar the fills come in the order given. Those at the open's price that stand first are the open's; what is held
after them is the position of the bar. The others happen inside the bar. Costs, credit, ruin and the sale after the last
close are those of `open_trades`; what fills at one price in a row pays one fixed fee. An entry that the account cannot
pay for, or that is smaller than the smallest order, is left out, and so is what would have closed it.

Shapes: T bars, S fills of a bar, P trades that may be open at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from stresslab.backtest.open_trades import (
    DUST,
    Books,
    OpenTrades,
    close_trade,
    end_ruined,
    equity_at,
    forget_closed,
    held_units,
    hold_trades,
    leave_all,
    new_account,
    see_extremes,
)  # fmt: skip

__all__ = ["Books", "OpenTrades", "walk_fills"]


@njit(cache=True, error_model="numpy")
def walk_fills(fills: Any, counted: bool, carried: Any, prices: Any, books: Any, curves: Any) -> None:
    """One account.

    Args:
        fills: (T, S, 3) lane (+ opens, - closes, NaN is none), price (NaN is the open), size.
        counted: whether sizes of entries are numbers of units.
        carried: (P,) what is bought at the first open, signed; 0 is nothing.
        prices: (T, 4) open, high, low, close.
        books: of the account.
        curves: written: equity (T + 1,), position (T,), and least and most equity of each bar (2, T).
    """
    equity, position, extremes = curves
    steps = len(fills)
    trades = new_account(len(carried))[0]
    trades.count[0] = len(carried)  # lanes, of which some are empty
    _clear(trades)
    equity[0] = books.state[0]
    for t in range(steps):
        opened, closed = prices[t, 0], prices[t, 3]
        _end(t, opened, trades, books)
        inside = 0
        if books.state[1] > 0:
            if t == 0:
                for lane in range(len(carried)):
                    if carried[lane] != 0:
                        _enter(lane, t, opened, carried[lane], counted, trades, books, books.rates[1])
            inside = _fill(t, 0, True, fills[t], counted, opened, trades, books)
            _end(t, opened, trades, books)
        if books.state[1] > 0:
            position[t] = held_units(trades) * opened / equity_at(opened, trades, books)
            extremes[:, t] = equity_at(opened, trades, books)
            _know_exits(fills[t], inside, opened, trades)
            see_extremes(prices[t], trades, books, extremes[:, t])
            _fill(t, inside, False, fills[t], counted, opened, trades, books)
            see_extremes(prices[t], trades, books, extremes[:, t])
            hold_trades(closed, trades, books)
            _end(t, closed, trades, books)
        else:
            extremes[:, t] = equity_at(opened, trades, books)
        if t == steps - 1 and books.state[1] > 0:
            forget_closed(trades)
            leave_all(t, closed, 1.0, trades, books)
            _end(t, closed, trades, books)
        equity[t + 1] = equity_at(closed, trades, books)
        extremes[0, t], extremes[1, t] = min(extremes[0, t], equity[t + 1]), max(extremes[1, t], equity[t + 1])
    books.summary[-1] = 1.0 - books.state[1]


@njit(cache=True, error_model="numpy")
def _clear(trades: Any) -> None:
    """No lane has a level."""
    trades.stop[:], trades.target[:] = 0.0, 0.0
    trades.trailing[:], trades.until[:] = np.nan, np.inf


@njit(cache=True, error_model="numpy")
def _end(t: int, price: float, trades: Any, books: Any) -> None:
    """Close an account whose equity is gone."""
    if books.state[1] > 0 and equity_at(price, trades, books) <= 0:
        forget_closed(trades)
        end_ruined(t, price, trades, books)


@njit(cache=True, error_model="numpy")
def _fill(t: int, first: int, at_open: bool, fills: Any, counted: bool, opened: float, trades: Any, books: Any) -> int:
    """Book the fills of a bar from a slot on, those at the open's price alone or all; returns the next slot."""
    paid_at, fee = np.nan, books.rates[1]
    for slot in range(first, len(fills)):
        lane, price, size = fills[slot]
        if np.isnan(lane):
            return slot
        price = opened if np.isnan(price) else price
        if at_open and price != opened:
            return slot
        fee = 0.0 if price == paid_at else books.rates[1]
        k = int(abs(lane)) - 1
        if lane > 0:
            filled = _enter(k, t, price, size, counted, trades, books, fee)
        else:
            filled = False
            for one in range(k, k + 1) if k < trades.count[0] else range(trades.count[0]):  # a trade, or all
                if trades.units[one] != 0:
                    close_trade(one, t, price, size, 0.0 if filled else fee, trades, books)
                    filled = True
        if filled:
            paid_at = price
    return len(fills)


@njit(cache=True, error_model="numpy")
def _enter(lane: int, t: int, price: float, size: float, counted: bool, trades: Any, books: Any, fixed: float) -> bool:
    """Open a trade in a lane, and say whether it was."""
    fees, least, leverage = books.rates[0], books.rates[2], books.rates[6]
    if trades.units[lane] != 0:
        return False
    sign = 1.0 if size > 0 else -1.0
    fill = price * (1.0 + books.slippage[t] * sign)
    value = equity_at(price, trades, books)
    free = leverage * value - np.abs(trades.units[: trades.count[0]]).sum() * price
    if counted:
        units = abs(size)
        if units * fill * (1.0 + fees) + fixed > free * (1.0 + DUST):
            return False
    else:
        units = max(min(abs(size) * value, free) - fixed, 0.0) / (fill * (1.0 + fees))
    worth = units * fill
    if worth <= DUST * abs(value) or worth < least:
        return False
    paid = worth * fees + fixed
    books.state[0] -= sign * worth + paid
    books.traded[t] += worth / value
    trades.units[lane], trades.entry[lane], trades.paid[lane] = sign * units, fill, paid
    trades.best[lane], trades.since[lane] = fill, t
    trades.stop[lane], trades.target[lane] = -sign * np.inf, sign * np.inf
    return True


@njit(cache=True, error_model="numpy")
def _know_exits(fills: Any, first: int, opened: float, trades: Any) -> None:
    """Let each trade that leaves inside the bar be worth no less, or no more, than where it leaves."""
    for slot in range(first, len(fills)):
        lane, price, size = fills[slot]
        if np.isnan(lane):
            return
        if lane > 0 or size < 1.0:
            continue
        at = int(-lane) - 1
        for k in range(at, at + 1) if at < trades.count[0] else range(trades.count[0]):
            if trades.units[k] * (price - opened) <= 0:
                trades.stop[k] = price
            else:
                trades.target[k] = price
