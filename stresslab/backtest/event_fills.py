"""Accounts filled bar by bar, all universes side by side: whatever `vectorbt_fills` cannot fill.

A bar has four moments. At its open the order decided before is sized and filled. Then stops are watched, first at the
open, then in the rest of the bar. At the close, what has been held and owed up to there costs or earns a bar's share of
the yearly rates, on its value at this close. After the last close all is sold. An account whose equity is zero or less
at an open, after a fill or at a close is ruined: what is open is closed there at what is owed, and nothing follows.

An order fills as one: what closes the old position, then what opens the new one, for one fixed fee. Closing is never
refused; what opens pays its costs out of the full position. A weight brings the position to a value, and buys no more
than cash and credit pay for, as vectorbt does. A number of units is opened as a whole, or not at all where cash and
credit do not pay for it, as brokers do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest.orders import Orders, Signals, Targets
from stresslab.backtest.result import Backtest
from stresslab.backtest.terms import Stops, Terms
from stresslab.core.arrays import BoolArray, FloatArray

Indices = NDArray[np.intp]

_DUST = 1e-12
"""Orders of less than this share of the equity are rounding."""


@dataclass(frozen=True, eq=False)
class Conditions:
    """What N accounts are filled at over T bars.

    Attributes:
        prices: open, high, low, close, (T, N) each.
        slippage: (T, N) fraction of each fill.
        volatility: (T, N) a year, known when the order was decided; NaN where there were not two returns.
    """

    prices: dict[str, FloatArray]
    slippage: FloatArray
    volatility: FloatArray

    def of(self, which: Indices) -> Conditions:
        """Those of some universes."""
        prices = {name: np.ascontiguousarray(array[:, which]) for name, array in self.prices.items()}
        return Conditions(prices, self.slippage[:, which], self.volatility[:, which])


def walk(
    orders: Orders,
    conditions: Conditions,
    terms: Terms,
    periods_per_year: float,
    ids: NDArray[np.int64],
    timestamps: pd.DatetimeIndex,
    inside: bool = False,
) -> Backtest:
    """Fill orders (T, N) at the opens on any terms, and close what is left at the last close.

    Args:
        orders: signals or target weights; of these also the ones that stand where one has drifted.
        conditions: that they are filled at.
        terms: of the accounts.
        periods_per_year: bars in a year.
        ids: (N,) of the universes.
        timestamps: (T,) of the bars.
        inside: value accounts inside bars too.
    """
    prices, (steps, count) = conditions.prices, conditions.slippage.shape
    books = _Books(count, terms, periods_per_year)
    equity = np.empty((steps + 1, count))
    equity[0] = terms.init_cash
    position, traded = np.zeros((steps, count)), np.zeros((steps, count))
    extremes = _Extremes(steps, count) if inside else None
    bars = zip(*(prices[name] for name in ("open", "high", "low", "close")), strict=True)
    for bar, (opened, high, low, closed) in enumerate(bars):
        books.slippage = conditions.slippage[bar]
        books.end_ruined(opened)
        which, change = _ordered(books, orders, bar, conditions)
        traded[bar, which] = books.fill(which, change, opened)
        books.end_ruined(opened)
        np.divide(books.units * opened, books.value(opened), out=position[bar], where=books.alive)
        if extremes is not None:
            extremes.see(bar, books, opened)
        if terms.stops:
            which, left_at = _stopped(books, terms.stops, opened, high, low)
            if extremes is not None:
                extremes.see_until(bar, books, which, left_at, (opened, high, low))
            traded[bar, which] += books.fill(which, -books.units[which], left_at)
            books.end_ruined(opened)
            books.follow(high, low)
        if extremes is not None:
            extremes.see(bar, books, high)
            extremes.see(bar, books, low)
        books.hold(closed)
        books.end_ruined(closed)
        if bar == steps - 1:
            which = np.flatnonzero(books.units)
            traded[bar, which] += books.fill(which, -books.units[which], closed)
            books.end_ruined(closed)
        equity[bar + 1] = books.value(closed)
        if extremes is not None:
            extremes.see(bar, books, closed)
    ends = {} if extremes is None else {"low": extremes.low, "high": extremes.high}
    return Backtest(
        equity, position, traded, **books.results(), ids=ids.copy(), timestamps=timestamps, init_cash=terms.init_cash,
        **ends,
    )  # fmt: skip


class _Extremes:
    """The least and the most that accounts were worth inside each bar (T, N)."""

    def __init__(self, steps: int, count: int) -> None:
        self.low, self.high = np.full((steps, count), math.inf), np.full((steps, count), -math.inf)

    def see(self, bar: int, books: _Books, price: FloatArray) -> None:
        """Look at all accounts at a price (N,) of a bar."""
        value = books.value(price)
        np.minimum(self.low[bar], value, out=self.low[bar])
        np.maximum(self.high[bar], value, out=self.high[bar])

    def see_until(
        self, bar: int, books: _Books, which: Indices, left_at: FloatArray, prices: tuple[FloatArray, ...]
    ) -> None:
        """Look at accounts that leave inside a bar, before they do: at its open, and at high and low up to there.

        A stop is the worst that was seen before it; a target may have been reached after the other end of the bar.
        """
        opened, high, low = prices
        units, leaves = books.units[which], left_at[which]
        best = np.where(units > 0, high[which], low[which])
        worst = np.where(units > 0, low[which], high[which])
        gains = (leaves - opened[which]) * units > 0
        at_open = leaves == opened[which]
        worst = np.where(at_open | ~gains, leaves, worst)
        best = np.where(at_open | gains, leaves, best)
        seen = np.stack([books.cash[which] + units * price for price in (opened[which], worst, best)])
        self.low[bar, which] = np.minimum(self.low[bar, which], seen.min(axis=0))
        self.high[bar, which] = np.maximum(self.high[bar, which], seen.max(axis=0))


class _Books:
    """The accounts of N universes at one moment.

    Attributes:
        cash: (N,) currency, negative on credit.
        units: (N,) held, negative where short.
        entry: (N,) average fill price of the units held.
        paid: (N,) costs so far of the units held: of their entry, and of holding them.
        best: (N,) highest price since entry where long, lowest where short; what a bar adds is known after it.
        alive: (N,) not ruined.
        slippage: (N,) fraction, of this bar.
    """

    def __init__(self, count: int, terms: Terms, periods_per_year: float) -> None:
        self.terms, self.costs = terms, terms.costs
        self.borrow, self.funding, self.interest = (
            rate / periods_per_year for rate in (terms.costs.borrow_fee, terms.costs.funding, terms.risk_free)
        )
        self.cash = np.full(count, terms.init_cash, dtype=np.float64)
        self.units, self.entry, self.paid, self.best = (np.zeros(count) for _ in range(4))
        self.gross_profit, self.gross_loss, self.earned = (np.zeros(count) for _ in range(3))
        self.trades, self.wins = (np.zeros(count, dtype=np.int64) for _ in range(2))
        self.alive = np.ones(count, dtype=np.bool_)
        self.slippage = np.zeros(count)

    def value(self, price: FloatArray) -> FloatArray:
        """Equity (N,) at a price (N,)."""
        return self.cash + self.units * price

    def fill(self, which: Indices, change: FloatArray, price: FloatArray) -> FloatArray:
        """Buy (or sell, where negative) units in some universes, and return the values traded over equity (0 of none).

        Args:
            which: (k,) universes, each at most once.
            change: (k,) units, none of them zero.
            price: (N,) before slippage.
        """
        if not len(which):
            return change
        units, quoted = self.units[which], price[which]
        before = self.cash[which] + units * quoted
        fill = quoted * (1 + self.slippage[which] * np.sign(change))
        size = np.abs(change)
        fees = size * fill * self.costs.fees + self.costs.fixed_fee
        closing = np.where(change * units < 0, np.minimum(size, np.abs(units)), 0.0)
        share = np.divide(closing, np.abs(units), out=np.zeros_like(units), where=units != 0)
        fees_closing = fees * closing / size
        profit = np.sign(units) * closing * (fill - self.entry[which]) - self.paid[which] * share - fees_closing
        self._book(which[closing > 0], profit[closing > 0])
        opening, kept = size - closing, np.abs(units) - closing
        opens, fresh = opening > 0, kept == 0
        held = np.where(opens, kept + opening, 1.0)
        self.entry[which] = np.where(opens, (kept * self.entry[which] + opening * fill) / held, self.entry[which])
        self.best[which] = np.where(opens & fresh, fill, self.best[which])
        self.paid[which] = self.paid[which] * (1 - share) + fees - fees_closing
        self.cash[which] -= change * fill + fees
        self.units[which] = np.where(fresh & ~opens, 0.0, units + change)
        return np.divide(size * fill, before, out=np.zeros_like(before), where=before != 0)

    def _book(self, which: Indices, profit: FloatArray) -> None:
        """Count closed trades of some universes."""
        self.trades[which] += 1
        self.wins[which] += profit > 0
        self.gross_profit[which] += np.maximum(profit, 0.0)
        self.gross_loss[which] += np.maximum(-profit, 0.0)

    def hold(self, price: FloatArray) -> None:
        """Charge a bar's borrowing and funding and pay its interest, at its close (N,)."""
        if self.borrow or self.funding:
            value = self.units * price
            charge = self.borrow * np.maximum(-value, 0.0) + self.funding * value
        if self.interest:
            interest = np.where(self.alive, self.cash * self.interest, 0.0)
            self.cash += interest
            self.earned += interest
        if self.borrow or self.funding:
            self.cash -= charge
            self.paid += charge

    def follow(self, high: FloatArray, low: FloatArray) -> None:
        """Let the best price since entry know of a bar that is over."""
        self.best = np.where(self.units > 0, np.maximum(self.best, high), np.minimum(self.best, low))

    def end_ruined(self, price: FloatArray) -> None:
        """Close accounts whose equity is gone at a price (N,)."""
        ruined = np.flatnonzero(self.alive & (self.value(price) <= 0))
        if not len(ruined):
            return
        held = ruined[self.units[ruined] != 0]
        self._book(held, self.units[held] * (price[held] - self.entry[held]) - self.paid[held])
        self.cash[ruined] = self.value(price)[ruined]
        self.units[ruined], self.alive[ruined] = 0.0, False

    def results(self) -> dict[str, Any]:
        """What a `Backtest` holds of the accounts as a whole."""
        named = {name: getattr(self, name) for name in ("trades", "wins", "gross_profit", "gross_loss")}
        return {**named, "interest": self.earned, "ruined": ~self.alive}


def _ordered(books: _Books, orders: Orders, bar: int, conditions: Conditions) -> tuple[Indices, FloatArray]:
    """Which universes order how many units at a bar's open."""
    opened, volatility = conditions.prices["open"][bar], conditions.volatility
    if isinstance(orders, Signals):
        return _by_signals(books, [flags[bar] for flags in orders], opened, volatility[bar])
    if isinstance(orders, Targets):
        return _by_weight(books, _drifted(books, orders, bar, conditions.prices, volatility), opened, volatility[bar])
    return _by_weight(books, orders[bar], opened, volatility[bar])


def _by_signals(
    books: _Books, signals: list[BoolArray], price: FloatArray, volatility: FloatArray
) -> tuple[Indices, FloatArray]:
    """Which universes order how many units, by signals (N,) each."""
    long_entry, long_exit, short_entry, short_exit = signals
    now = np.sign(books.units)
    left = ((now > 0) & long_exit) | ((now < 0) & short_exit)
    then = np.where(long_entry, 1.0, np.where(short_entry, -1.0, np.where(left, 0.0, now)))
    which = np.flatnonzero((then != now) & books.alive)
    then, units, costs = then[which], books.units[which], books.costs
    side = np.where(then != 0, then, -now[which])
    fill = price[which] * (1 + books.slippage[which] * side)
    after = books.cash[which] + units * fill - np.abs(units) * fill * costs.fees  # once the old position is closed
    full = _full_position(books.terms, after, volatility[which])
    opening = np.where(then != 0, np.maximum(full - costs.fixed_fee, 0.0) / (fill * (1 + costs.fees)), 0.0)
    return _large_enough(books, which, then * opening - units, fill, after)


def _by_weight(
    books: _Books, target: FloatArray, price: FloatArray, volatility: FloatArray
) -> tuple[Indices, FloatArray]:
    """Which universes order how many units, by target weights (N,), NaN where nothing is ordered."""
    which = np.flatnonzero(~np.isnan(target) & books.alive)
    target, units, quoted, costs = target[which], books.units[which], price[which], books.costs
    value = books.cash[which] + units * quoted
    scaled = target * _full_position(books.terms, value, volatility[which])
    most = books.terms.max_leverage * value
    change = np.where(target == 0, -units, np.clip(scaled, -most, most) / quoted - units)
    fill = quoted * (1 + books.slippage[which] * np.sign(change))
    affordable = (books.cash[which] + most - value - costs.fixed_fee) / (fill * (1 + costs.fees))
    closing = np.minimum(np.maximum(-units, 0.0), change)  # of a short position, which is never refused
    change = np.where(change > 0, np.minimum(change, np.maximum(affordable, closing)), change)
    return _large_enough(books, which, change, fill, value)


def _drifted(
    books: _Books, orders: Targets, bar: int, prices: dict[str, FloatArray], volatility: FloatArray
) -> FloatArray:
    """The targets (N,) ordered at a bar, with those from which the weight at the last close is too far."""
    ordered: FloatArray = orders.ordered[bar]
    if bar == 0:
        return ordered
    standing: FloatArray = orders.standing[bar]
    closed = prices["close"][bar - 1]
    equity = np.where(books.alive, books.value(closed), 1.0)
    weight = books.units * closed / equity
    wanted = standing * _full_position(books.terms, equity, volatility[bar]) / equity
    far = np.abs(weight - wanted) > (books.terms.band or 0.0)
    found: FloatArray = np.where(np.isnan(ordered) & far, standing, ordered)
    return found


def _full_position(terms: Terms, equity: FloatArray, volatility: FloatArray) -> FloatArray:
    """The value of a full position (k,), at most what the account may borrow.

    Args:
        terms: of the accounts.
        equity: (k,).
        volatility: (k,) a year, NaN where unknown: then there is no position.
    """
    sizing, most = terms.sizing, terms.max_leverage
    if sizing.fraction is not None:
        return sizing.fraction * equity
    if sizing.cash is not None:
        return np.minimum(sizing.cash, most * equity)
    if sizing.volatility is not None:
        calm = volatility * most <= sizing.volatility
        multiple = np.where(calm, most, sizing.volatility / np.where(calm, 1.0, volatility))
        return np.where(np.isnan(volatility), 0.0, multiple) * equity
    return equity


def _large_enough(
    books: _Books, which: Indices, change: FloatArray, fill: FloatArray, equity: FloatArray
) -> tuple[Indices, FloatArray]:
    """Without orders that are rounding, or smaller than the smallest unless they close the position."""
    value = np.abs(change) * fill
    ordered = value > _DUST * np.abs(equity)
    ordered &= (value >= books.costs.min_trade) | (change == -books.units[which])
    return which[ordered], change[ordered]


def _stopped(
    books: _Books, stops: Stops, opened: FloatArray, high: FloatArray, low: FloatArray
) -> tuple[Indices, FloatArray]:
    """Which universes leave inside this bar, and the price at which each does (N,)."""
    units, side = books.units, np.sign(books.units)
    stop = np.full_like(units, -math.inf)  # prices times side: what is worse for the position is smaller
    if stops.stop_loss is not None:
        stop = side * books.entry * (1 - side * stops.stop_loss)
    if stops.trailing_stop is not None:
        stop = np.maximum(stop, side * books.best * (1 - side * stops.trailing_stop))
    target = np.full_like(units, math.inf)
    if stops.take_profit is not None:
        target = side * books.entry * (1 + side * stops.take_profit)
    first, worst, best = side * opened, np.where(side > 0, low, -high), np.where(side > 0, high, -low)
    at_open = (first <= stop) | (first >= target)
    at_stop, at_target = worst <= stop, best >= target
    level = np.where(at_open, first, np.where(at_stop, stop, target))
    which = np.flatnonzero((side != 0) & (at_open | at_stop | at_target))
    price = opened.copy()
    price[which] = side[which] * level[which]
    return which, price
