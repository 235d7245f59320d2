"""What is open on an account, and how what leaves is booked: cash, costs, closed trades and the equity between.

`order_walk` and `fill_walk` say what enters and leaves, when and at which price. Shapes: T bars, P trades that may be
open at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

DUST = 1e-12
"""Orders of less than this share of the equity are rounding."""
NUMBERS = ("trades", "wins", "gross_profit", "gross_loss", "interest", "ruined")
"""What is summed over an account, in this order."""
TRADES, _WINS, _GAINS, _LOSSES, _INTEREST, RUINED = range(len(NUMBERS))


class Books(NamedTuple):
    """One account.

    Attributes:
        state: cash, and 1.0 while it lives.
        summary: its numbers, as `NUMBERS` names them.
        traded: (T,) value traded over equity.
        slippage: (T,).
        rates: fees, fixed fee, smallest order; borrowing, funding and interest of a bar; leverage.
        table: rows of closed trades, or none.
    """

    state: Any
    summary: Any
    traded: Any
    slippage: Any
    rates: Any
    table: Any


class OpenTrades(NamedTuple):
    """What is open, oldest first: arrays (P,), and how many there are in `count[0]`."""

    units: Any
    entry: Any
    paid: Any
    best: Any
    stop: Any
    target: Any
    trailing: Any
    until: Any
    since: Any
    count: Any


@njit(cache=True, error_model="numpy")
def new_account(entries: int) -> Any:
    """An account before its first bar: room for so many trades, none of them open, and nothing that waits."""
    zeros = np.zeros((9, entries))
    return OpenTrades(
        zeros[0], zeros[1], zeros[2], zeros[3], zeros[4], zeros[5], zeros[6], zeros[7], zeros[8],
        np.zeros(1, dtype=np.int64),
    ), np.full((2, 2), -1)  # fmt: skip


@njit(cache=True, error_model="numpy")
def held_units(trades: Any) -> float:
    """Units of all open trades."""
    return float(trades.units[: trades.count[0]].sum())


@njit(cache=True, error_model="numpy")
def equity_at(price: float, trades: Any, books: Any) -> float:
    """Equity at a price."""
    return float(books.state[0] + held_units(trades) * price)


@njit(cache=True, error_model="numpy")
def stop_of(k: int, sign: float, trades: Any) -> float:
    """The nearer of a trade's stop and its trailing stop; infinitely far where there is none."""
    stop = trades.stop[k]
    if not np.isnan(trades.trailing[k]):
        trailing = trades.best[k] * (1.0 - sign * trades.trailing[k])
        stop = max(sign * stop, sign * trailing) * sign
    return float(stop)


@njit(cache=True, error_model="numpy")
def see_extremes(bar: Any, trades: Any, books: Any, extremes: Any) -> None:
    """Let the least and the most equity of a bar (2,) know what open trades are worth in it.

    All go against the account, or with it, at once; a trade is worth no less than at its stop, and no more than at its
    target, where it leaves.
    """
    worst, best = books.state[0], books.state[0]
    for k in range(trades.count[0]):
        sign = 1.0 if trades.units[k] > 0 else -1.0
        low, high = (bar[2], bar[1]) if sign > 0 else (bar[1], bar[2])
        least = max(sign * low, min(sign * bar[0], sign * stop_of(k, sign, trades)))
        most = min(sign * high, max(sign * bar[0], sign * trades.target[k]))
        worst += trades.units[k] * sign * least
        best += trades.units[k] * sign * most
    extremes[0], extremes[1] = min(extremes[0], worst), max(extremes[1], best)


@njit(cache=True, error_model="numpy")
def leave_all(t: int, price: float, share: float, trades: Any, books: Any) -> None:
    """Close a share of every open trade."""
    fee = books.rates[1]
    for k in range(trades.count[0]):
        fee = close_trade(k, t, price, share, fee, trades, books)
    forget_closed(trades)


@njit(cache=True, error_model="numpy")
def close_trade(k: int, t: int, price: float, share: float, fee: float, trades: Any, books: Any) -> float:
    """Close a share of a trade and book it; returns the fixed fee that is left to pay for what leaves with it."""
    units = trades.units[k] * share
    fill = price * (1.0 - books.slippage[t] * (1.0 if units > 0 else -1.0))
    value = equity_at(price, trades, books)
    costs = abs(units) * fill * books.rates[0] + fee
    books.state[0] += units * fill - costs
    if value > 0:
        books.traded[t] += abs(units) * fill / value
    profit = units * (fill - trades.entry[k]) - trades.paid[k] * share - costs
    _book(k, t, fill, units, profit, trades, books)
    trades.paid[k] *= 1.0 - share
    trades.units[k] = 0.0 if share == 1.0 else trades.units[k] - units
    return 0.0


@njit(cache=True, error_model="numpy")
def _book(k: int, t: int, fill: float, units: float, profit: float, trades: Any, books: Any) -> None:
    """Count a closed trade."""
    at = int(books.summary[TRADES])
    if at < len(books.table):
        row = books.table[at]
        row[0], row[1], row[2], row[3], row[4], row[5] = units, trades.since[k], trades.entry[k], t, fill, profit
    books.summary[TRADES] += 1
    if profit > 0:
        books.summary[_WINS] += 1
        books.summary[_GAINS] += profit
    else:
        books.summary[_LOSSES] -= profit


@njit(cache=True, error_model="numpy")
def forget_closed(trades: Any) -> None:
    """Close the gaps that closed trades leave."""
    kept = 0
    for k in range(trades.count[0]):
        if trades.units[k] != 0:
            if kept != k:
                for part in (trades.units, trades.entry, trades.paid, trades.best, trades.stop, trades.target,
                             trades.trailing, trades.until, trades.since):  # fmt: skip
                    part[kept] = part[k]
            kept += 1
    trades.count[0] = kept


@njit(cache=True, error_model="numpy")
def hold_trades(closed: float, trades: Any, books: Any) -> None:
    """A bar's borrowing, funding and interest."""
    interest = books.state[0] * books.rates[5]
    books.summary[_INTEREST] += interest
    books.state[0] += interest
    for k in range(trades.count[0]):
        value = trades.units[k] * closed
        charge = books.rates[3] * max(-value, 0.0) + books.rates[4] * value
        books.state[0] -= charge
        trades.paid[k] += charge


@njit(cache=True, error_model="numpy")
def end_ruined(t: int, price: float, trades: Any, books: Any) -> None:
    """Close an account whose equity is gone at a price."""
    if books.state[1] == 0 or equity_at(price, trades, books) > 0:
        return
    for k in range(trades.count[0]):
        units = trades.units[k]
        _book(k, t, price, units, units * (price - trades.entry[k]) - trades.paid[k], trades, books)
        books.state[0] += units * price
        trades.units[k] = 0.0
    forget_closed(trades)
    books.state[1] = 0.0
