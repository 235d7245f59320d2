"""One account over several symbols: cash is shared, exposure is bounded as a whole, and ruin takes everything.

At each open the account is valued and the bar's orders are sized on that value: targets are fractions of it. What is
sold goes first; what is bought follows, smallest order first, as far as cash and credit reach (vectorbt's grouped
simulation with automatic call sequence). Then, as in `event_fills`, a bar's borrowing, funding and interest at the
close, and all is sold at the last one. An account whose equity is zero or less at an open, after its fills or at a
close is ruined. Shapes: K symbols, N universes, T bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from stresslab.backtest.costs import Costs
from stresslab.backtest.result import JointBacktest
from stresslab.backtest.terms import Terms
from stresslab.core.arrays import FloatArray

_DUST = 1e-12
"""Orders of less than this share of the equity are rounding."""
_TRADES, _WINS, _GAINS, _LOSSES, _INTEREST, _RUINED = range(6)


class Prices(NamedTuple):
    """Prices of a market's bars, or of one account's: opens, closes, and the fraction that each fill slips."""

    opens: FloatArray
    closes: FloatArray
    slippage: FloatArray


class _Books(NamedTuple):
    """What one account leaves behind: equity (T + 1,), gross and traded (T,), positions (K, T), brought (K,), sums."""

    equity: FloatArray
    gross: FloatArray
    traded: FloatArray
    positions: FloatArray
    brought: FloatArray
    summary: FloatArray


class _Held(NamedTuple):
    """What one account holds of each symbol (K,): units, their mean entry price, costs paid so far, orders of a bar."""

    units: FloatArray
    entry: FloatArray
    paid: FloatArray
    orders: FloatArray


def walk_jointly(
    targets: FloatArray,
    prices: Prices,
    costs: Sequence[Costs],
    terms: Terms,
    periods_per_year: float,
    ids: NDArray[np.int64],
    timestamps: pd.DatetimeIndex,
) -> JointBacktest:
    """Fill target weights at the opens of each symbol, from one account in each universe.

    Args:
        targets: (N, K, T) fractions of the equity at each open, NaN where nothing is ordered.
        prices: (N, K, T) each.
        costs: of each symbol; `min_trade` and the others of `terms` do not count.
        terms: of the account: initial cash, leverage, interest.
        periods_per_year: bars in a year.
        ids: (N,) of the universes.
        timestamps: (T,) of the bars.
    """
    count, symbols, steps = targets.shape
    names = ("fees", "fixed_fee", "borrow_fee", "funding", "min_trade")
    table = np.array([[getattr(one, name) for name in names] for one in costs])  # (K, 5)
    table[:, 2:4] /= periods_per_year
    equity, gross, traded = np.empty((count, steps + 1)), np.zeros((count, steps)), np.zeros((count, steps))
    positions, brought, summary = np.zeros((count, symbols, steps)), np.zeros((count, symbols)), np.zeros((count, 6))
    account = (terms.init_cash, terms.max_leverage, terms.risk_free / periods_per_year)
    for n in range(count):
        own = Prices(prices.opens[n], prices.closes[n], prices.slippage[n])
        books = _Books(equity[n], gross[n], traded[n], positions[n], brought[n], summary[n])
        _walk(targets[n], own, table, account, books)
    return JointBacktest(
        equity=equity.T,
        position=gross.T,
        traded=traded.T,
        trades=summary[:, _TRADES].astype(np.int64),
        wins=summary[:, _WINS].astype(np.int64),
        gross_profit=summary[:, _GAINS].copy(),
        gross_loss=summary[:, _LOSSES].copy(),
        interest=summary[:, _INTEREST].copy(),
        ruined=summary[:, _RUINED] > 0,
        ids=ids.copy(),
        timestamps=timestamps,
        init_cash=terms.init_cash,
        positions=positions.transpose(1, 2, 0),
        contributions=brought.T,
    )


@njit(cache=True, error_model="numpy")
def _walk(targets: Any, prices: Any, costs: Any, account: Any, books: Any) -> None:
    """One account: targets and prices (K, T), costs (K, 5); `books` is written."""
    symbols, steps = targets.shape
    cash, leverage, rate = account
    held = _Held(np.zeros(symbols), np.zeros(symbols), np.zeros(symbols), np.zeros(symbols))
    books.equity[0] = cash
    alive = True
    for t in range(steps):
        opens, closes = prices.opens[:, t], prices.closes[:, t]
        if alive:
            value = _value(cash, held.units, opens)
            if value <= 0:
                cash, alive = _ruin(held, opens, cash, books), False
        if alive:
            _size_orders(targets[:, t], opens, value, held)
            cash = _fill_orders(t, cash, value, leverage, prices, costs, held, books)
            after = _value(cash, held.units, opens)
            if after <= 0:
                cash, alive = _ruin(held, opens, cash, books), False
            else:
                for k in range(symbols):
                    books.positions[k, t] = held.units[k] * opens[k] / after
                    books.gross[t] += abs(books.positions[k, t])
        if alive:
            cash = _carry(closes, cash, rate, costs, held, books)
            cash, alive = _survives(held, closes, cash, books)
        if alive and t == steps - 1:
            cash = _close_all(t, cash, prices, costs, held, books)
            cash, alive = _survives(held, closes, cash, books)
        held.orders[:] = held.units * closes
        books.equity[t + 1] = cash + held.orders.sum()
    books.summary[_RUINED] = 0.0 if alive else 1.0


@njit(cache=True, error_model="numpy")
def _value(cash: float, units: Any, prices: Any) -> float:
    """Equity at these prices (K,)."""
    value = cash
    for k in range(len(units)):
        value += units[k] * prices[k]
    return value


@njit(cache=True, error_model="numpy")
def _size_orders(targets: Any, opens: Any, value: float, held: Any) -> None:
    """The currency that each symbol's order buys, below zero where it sells; 0 where nothing is ordered."""
    for k in range(len(targets)):
        held.orders[k] = 0.0
        if not np.isnan(targets[k]):
            held.orders[k] = targets[k] * value - held.units[k] * opens[k]
            if targets[k] == 0:
                held.orders[k] = -held.units[k] * opens[k]


@njit(cache=True, error_model="numpy")
def _fill_orders(
    t: int, cash: float, value: float, leverage: float, prices: Any, costs: Any, held: Any, books: Any
) -> float:
    """Fill a bar's orders, what is sold first, as far as cash and credit reach; returns the cash."""
    for k in np.argsort(held.orders, kind="mergesort"):
        if held.orders[k] == 0:
            continue
        price = prices.opens[k, t]
        change = held.orders[k] / price
        closes = held.orders[k] == -held.units[k] * price  # a target of zero, to the last unit
        if closes:
            change = -held.units[k]
        fill = price * (1.0 + prices.slippage[k, t] * np.sign(change))
        if change > 0:
            affordable = (cash + (leverage - 1.0) * value - costs[k, 1]) / (fill * (1.0 + costs[k, 0]))
            change = min(change, max(affordable, min(max(-held.units[k], 0.0), change)))
        worth = abs(change) * fill
        if worth <= _DUST * value or (worth < costs[k, 4] and change != -held.units[k]):
            continue
        cash -= _trade(k, change, fill, costs, held, books)
        books.traded[t] += worth / value
    return cash


@njit(cache=True, error_model="numpy")
def _carry(closes: Any, cash: float, rate: float, costs: Any, held: Any, books: Any) -> float:
    """Interest, borrowing and funding of a bar at its closes; returns the cash."""
    earned = cash * rate
    books.summary[_INTEREST] += earned
    cash += earned
    for k in range(len(closes)):
        value = held.units[k] * closes[k]
        charge = costs[k, 2] * max(-value, 0.0) + costs[k, 3] * value
        cash -= charge
        held.paid[k] += charge
    return cash


@njit(cache=True, error_model="numpy")
def _close_all(t: int, cash: float, prices: Any, costs: Any, held: Any, books: Any) -> float:
    """Sell everything at the last closes; returns the cash."""
    closes = prices.closes[:, t]
    before = _value(cash, held.units, closes)
    for k in range(len(closes)):
        if held.units[k] != 0:
            change = -held.units[k]
            fill = closes[k] * (1.0 + prices.slippage[k, t] * np.sign(change))
            cash -= _trade(k, change, fill, costs, held, books)
            books.traded[t] += abs(change) * fill / before
    return cash


@njit(cache=True, error_model="numpy")
def _trade(k: int, change: float, fill: float, costs: Any, held: Any, books: Any) -> float:
    """Buy or sell units of a symbol; returns the cash that leaves the account."""
    units, entry, paid = held.units, held.entry, held.paid
    size = abs(change)
    fees = size * fill * costs[k, 0] + costs[k, 1]
    closing = min(size, abs(units[k])) if change * units[k] < 0 else 0.0
    share = closing / abs(units[k]) if units[k] != 0 else 0.0
    if closing > 0:
        fees_closing = fees * closing / size
        profit = np.sign(units[k]) * closing * (fill - entry[k]) - paid[k] * share - fees_closing
        _book(k, profit, books)
        paid[k] = paid[k] * (1.0 - share) + fees - fees_closing
    else:
        paid[k] += fees
    opening, kept = size - closing, abs(units[k]) - closing
    if opening > 0:
        entry[k] = (kept * entry[k] + opening * fill) / (kept + opening)
    units[k] = 0.0 if kept == 0 and opening == 0 else units[k] + change
    return float(change * fill + fees)


@njit(cache=True, error_model="numpy")
def _book(k: int, profit: float, books: Any) -> None:
    """Count a closed trade."""
    books.brought[k] += profit
    books.summary[_TRADES] += 1
    if profit > 0:
        books.summary[_WINS] += 1
        books.summary[_GAINS] += profit
    else:
        books.summary[_LOSSES] -= profit


@njit(cache=True, error_model="numpy")
def _survives(held: Any, prices: Any, cash: float, books: Any) -> tuple[float, bool]:
    """The cash, and whether the account has equity at these prices; without, it is closed."""
    if _value(cash, held.units, prices) > 0:
        return cash, True
    return _ruin(held, prices, cash, books), False


@njit(cache=True, error_model="numpy")
def _ruin(held: Any, prices: Any, cash: float, books: Any) -> float:
    """Close everything at these prices, at what is owed; returns the cash that is left."""
    units = held.units
    for k in range(len(units)):
        if units[k] != 0:
            _book(k, units[k] * (prices[k] - held.entry[k]) - held.paid[k], books)
            cash += units[k] * prices[k]
            units[k] = 0.0
    return cash
