"""Accounts of orders with prices: limit and stop entries, levels of each trade, several trades open at once.

What the high and the low of a bar cannot tell is settled against the account. A bar goes like this.

1. At the open: trades whose time is over leave, and so do those that an exit closes. Then trades leave that opened
   beyond a level: a gap fills at the open, through a stop at a loss, through a target at a gain. Then entries fill that
   wait for no price, or whose price the open has reached.
2. In the rest of the bar: trades leave at their stop where low (high) reaches it, else at their target. Then entries
   fill at the price that they wait for; where both sides are reached, the one nearer to the open first. A trade entered
   there leaves in the same bar at its stop where the bar reached it, and at its target only where the price must have
   passed it after the entry: after an entry by stop, not after one by limit.
3. At the close: interest, borrowing and funding. What a bar adds to the best price that a trailing stop follows is
   known from the next bar on. After the last close all is sold. An account without equity is ruined, as in
   `event_fills`.

An entry against an open position closes it first. Costs, credit and dust are those of `event_fills`; the fixed fee is
paid once for what leaves or enters together. Shapes: N universes, T bars, P trades that may be open at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from stresslab.backtest.open_trades import (
    DUST,
    RUINED,
    close_trade,
    end_ruined,
    equity_at,
    forget_closed,
    held_units,
    hold_trades,
    leave_all,
    new_account,
    see_extremes,
    stop_of,
)  # fmt: skip
from stresslab.strategy.order_frames import LEVELS

_LIMIT, _STOP, _SIZE, _UNITS, _STOP_LOSS, _TAKE_PROFIT, _TRAILING, _EXIT_AFTER, _EXIT_SIZE, _LIFETIME = range(
    len(LEVELS)
)


@njit(cache=True, error_model="numpy")
def walk_account(flags: Any, levels: Any, rules: Any, prices: Any, books: Any, curves: Any) -> None:
    """One account: flags (T, 4), levels (T, 2, 10), prices (T, 4).

    `curves` is written: equity (T + 1,), position (T,), and least and most equity of each bar (2, T).
    """
    account = new_account(rules.entries)
    curves[0][0] = books.state[0]
    for t in range(len(flags)):
        walk_bar(t, (flags, levels, rules), prices, books, curves, account)
    books.summary[RUINED] = 1.0 - books.state[1]


@njit(cache=True, error_model="numpy")
def walk_bar(t: int, given: Any, prices: Any, books: Any, curves: Any, account: Any) -> None:
    """One bar of an account.

    What was `given` is flags, levels and rules; the `account` is its open trades, and by side the bar that ordered what
    waits and the last bar on which it may fill (2, 2).
    """
    flags, levels, rules = given
    equity, position, extremes = curves
    open_trades, waiting = account
    steps, opened, closed = len(flags), prices[t, 0], prices[t, 3]
    end_ruined(t, opened, open_trades, books)
    if books.state[1] > 0:
        _leave_at_open(t, opened, flags[t], levels[t], open_trades, books)
        for side in range(2):
            if flags[t, 2 * side + 1]:
                waiting[side, 0] = -1
            if flags[t, 2 * side]:
                waiting[side, 0], waiting[side, 1] = t, _last_bar(t, levels[t, side, _LIFETIME], rules.lifetime, steps)
        _enter_at_open(t, opened, waiting, (levels, rules), open_trades, books)
        end_ruined(t, opened, open_trades, books)
    if books.state[1] > 0:
        position[t] = held_units(open_trades) * opened / equity_at(opened, open_trades, books)
        extremes[:, t] = equity_at(opened, open_trades, books)
        see_extremes(prices[t], open_trades, books, extremes[:, t])
        _leave_inside(t, prices[t], open_trades, books)
        _enter_inside(t, prices[t], waiting, (levels, rules), open_trades, books)
        see_extremes(prices[t], open_trades, books, extremes[:, t])
        _follow(prices[t, 1], prices[t, 2], open_trades)
        for side in range(2):
            if waiting[side, 0] >= 0 and t >= waiting[side, 1]:
                waiting[side, 0] = -1
        hold_trades(closed, open_trades, books)
        end_ruined(t, closed, open_trades, books)
    else:
        extremes[:, t] = equity_at(opened, open_trades, books)
    if t == steps - 1 and books.state[1] > 0:
        leave_all(t, closed, 1.0, open_trades, books)
        end_ruined(t, closed, open_trades, books)
    equity[t + 1] = equity_at(closed, open_trades, books)
    extremes[0, t], extremes[1, t] = min(extremes[0, t], equity[t + 1]), max(extremes[1, t], equity[t + 1])


@njit(cache=True, error_model="numpy")
def _last_bar(t: int, own: float, common: int, steps: int) -> int:
    """The last bar on which an entry may fill that is ordered for bar t: by its own lifetime, else by that of all."""
    if not np.isnan(own):
        return int(min(t + own - 1, steps))
    return steps if common == 0 else t + common - 1


@njit(cache=True, error_model="numpy")
def _leave_at_open(t: int, opened: float, flags: Any, levels: Any, trades: Any, books: Any) -> None:
    """Trades whose time is over, exits, and trades that opened beyond a level."""
    fee = books.rates[1]
    for k in range(trades.count[0]):
        if trades.until[k] <= t:
            fee = close_trade(k, t, opened, 1.0, fee, trades, books)
    forget_closed(trades)
    held = held_units(trades)
    side = 0 if held > 0 else 1
    if held != 0 and flags[2 * side + 1]:
        share = levels[side, _EXIT_SIZE]
        leave_all(t, opened, 1.0 if np.isnan(share) else share, trades, books)
    fee = books.rates[1]
    for k in range(trades.count[0]):
        sign = 1.0 if trades.units[k] > 0 else -1.0
        if sign * opened <= sign * stop_of(k, sign, trades) or sign * opened >= sign * trades.target[k]:
            fee = close_trade(k, t, opened, 1.0, fee, trades, books)
    forget_closed(trades)


@njit(cache=True, error_model="numpy")
def _enter_at_open(t: int, opened: float, waiting: Any, given: Any, trades: Any, books: Any) -> None:
    """Entries that wait for no price, or whose price the open has reached."""
    levels, rules = given
    for side in range(2):
        row, sign = waiting[side, 0], 1.0 - 2.0 * side
        if row < 0:
            continue
        limit, stop = levels[row, side, _LIMIT], levels[row, side, _STOP]
        if not np.isnan(limit) and sign * opened > sign * limit:
            continue
        if not np.isnan(stop) and sign * opened < sign * stop:
            continue
        _enter(t, opened, sign, levels[row, side], trades, books)
        waiting[side, 0] = -1
        if rules.one_cancels_other:
            waiting[1 - side, 0] = -1


@njit(cache=True, error_model="numpy")
def _leave_inside(t: int, bar: Any, trades: Any, books: Any) -> None:
    """Trades that reach their stop, or else their target; at the open where one was entered there beyond its level."""
    stop_fee, target_fee = books.rates[1], books.rates[1]
    for k in range(trades.count[0]):
        sign = 1.0 if trades.units[k] > 0 else -1.0
        worst, best = (bar[2], bar[1]) if sign > 0 else (bar[1], bar[2])
        stop = stop_of(k, sign, trades)
        if sign * worst <= sign * stop:
            stop_fee = close_trade(k, t, sign * min(sign * bar[0], sign * stop), 1.0, stop_fee, trades, books)
        elif sign * best >= sign * trades.target[k]:
            target = sign * max(sign * bar[0], sign * trades.target[k])
            target_fee = close_trade(k, t, target, 1.0, target_fee, trades, books)
    forget_closed(trades)


@njit(cache=True, error_model="numpy")
def _enter_inside(t: int, bar: Any, waiting: Any, given: Any, trades: Any, books: Any) -> None:
    """Entries whose price the rest of the bar reaches, the nearer one to the open first."""
    levels, rules = given
    for _ in range(2):
        first, nearest = -1, np.inf
        for side in range(2):
            row, sign = waiting[side, 0], 1.0 - 2.0 * side
            if row < 0:
                continue
            limit, stop = levels[row, side, _LIMIT], levels[row, side, _STOP]
            by_limit = not np.isnan(limit)
            price = limit if by_limit else stop
            reached = (
                (bar[2] <= price if sign > 0 else bar[1] >= price)
                if by_limit
                else (bar[1] >= price if sign > 0 else bar[2] <= price)
            )
            if reached and abs(price - bar[0]) < nearest:
                first, nearest = side, abs(price - bar[0])
        if first < 0:
            return
        row, sign = waiting[first, 0], 1.0 - 2.0 * first
        limit, stop = levels[row, first, _LIMIT], levels[row, first, _STOP]
        waiting[first, 0] = -1
        if rules.one_cancels_other:
            waiting[1 - first, 0] = -1
        if not _enter(t, stop if np.isnan(limit) else limit, sign, levels[row, first], trades, books):
            continue
        k = trades.count[0] - 1
        worst, best = (bar[2], bar[1]) if sign > 0 else (bar[1], bar[2])
        if sign * worst <= sign * trades.stop[k]:
            close_trade(k, t, trades.stop[k], 1.0, books.rates[1], trades, books)
        elif np.isnan(limit) and sign * best >= sign * trades.target[k]:
            close_trade(k, t, trades.target[k], 1.0, books.rates[1], trades, books)
        forget_closed(trades)


@njit(cache=True, error_model="numpy")
def _enter(t: int, price: float, sign: float, levels: Any, trades: Any, books: Any) -> bool:
    """Open a trade, and say whether it was; what is held on the other side is closed first, for the same fixed fee."""
    fees, fixed, least, leverage = books.rates[0], books.rates[1], books.rates[2], books.rates[6]
    if held_units(trades) * sign < 0:
        leave_all(t, price, 1.0, trades, books)
        fixed = 0.0
    if trades.count[0] == len(trades.units):
        return False
    fill = price * (1.0 + books.slippage[t] * sign)
    value = equity_at(price, trades, books)
    free = leverage * value - abs(held_units(trades)) * price
    if np.isnan(levels[_UNITS]):
        full = min((1.0 if np.isnan(levels[_SIZE]) else levels[_SIZE]) * value, free)
        units = max(full - fixed, 0.0) / (fill * (1.0 + fees))
    else:
        units = levels[_UNITS]
        if units * fill * (1.0 + fees) + fixed > free * (1.0 + DUST):
            return False
    worth = units * fill
    if worth <= DUST * abs(value) or worth < least:
        return False
    paid = worth * fees + fixed
    books.state[0] -= sign * worth + paid
    books.traded[t] += worth / value
    k = trades.count[0]
    trades.units[k], trades.entry[k], trades.paid[k], trades.best[k] = sign * units, fill, paid, fill
    trades.stop[k] = levels[_STOP_LOSS] if not np.isnan(levels[_STOP_LOSS]) else -sign * np.inf
    trades.target[k] = levels[_TAKE_PROFIT] if not np.isnan(levels[_TAKE_PROFIT]) else sign * np.inf
    trades.trailing[k], trades.since[k] = levels[_TRAILING], t
    trades.until[k] = t + levels[_EXIT_AFTER] if not np.isnan(levels[_EXIT_AFTER]) else np.inf
    trades.count[0] += 1
    return True


@njit(cache=True, error_model="numpy")
def _follow(high: float, low: float, trades: Any) -> None:
    """Let the best price since entry know of a bar that is over."""
    for k in range(trades.count[0]):
        trades.best[k] = max(trades.best[k], high) if trades.units[k] > 0 else min(trades.best[k], low)
