"""The event loop that the engine must equal: one account, bar by bar, one order after the other; slow and obvious."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest import Backtest, Terms
from stresslab.data.universes import Universes


@dataclass
class Account:
    """One account, one order at a time.

    Attributes:
        terms: what it trades on.
        slippage: fraction, at this bar.
        volatility: a year, as known at this bar.
    """

    terms: Terms
    cash: float
    slippage: float = 0.0
    volatility: float = np.nan
    units: float = 0.0
    entry: float = 0.0  # average price of the units held
    paid: float = 0.0  # costs of the units held so far
    best: float = 0.0  # highest price since entry, lowest for a short
    interest: float = 0.0
    closed: float = np.nan  # the last close
    profits: list[float] = field(default_factory=list)

    def value(self, price: float) -> float:
        """Equity where the units are worth this price."""
        return self.cash + self.units * price

    def _close(self, units: float, fill: float, fixed: float) -> float:
        """Take so many units out of the position; returns the value traded."""
        held, side = abs(self.units), np.sign(self.units)
        fees = units * fill * self.terms.costs.fees + fixed
        costs = self.paid * units / held
        self.profits.append(side * units * (fill - self.entry) - costs - fees)
        self.paid -= costs
        self.cash += side * units * fill - fees
        self.units = 0.0 if units == held else self.units - side * units
        return units * fill

    def _open(self, units: float, side: float, fill: float, fixed: float) -> float:
        """Add so many units on one side; returns the value traded."""
        fees = units * fill * self.terms.costs.fees + fixed
        held = abs(self.units)
        if held == 0:
            self.best = fill
            self.paid = 0.0
        self.entry = (held * self.entry + units * fill) / (held + units)
        self.paid += fees
        self.cash -= side * units * fill + fees
        self.units += side * units
        return units * fill

    def order(self, change: float, price: float) -> float:
        """Buy (or sell, where negative) units: what closes the old position first, then what opens a new one."""
        side = float(np.sign(change))
        fill = price * (1 + side * self.slippage)
        size, closing = abs(change), 0.0
        if side * self.units < 0:
            closing = min(size, abs(self.units))
        closes_all = self.units != 0 and closing == abs(self.units) and size == closing
        if size * fill <= 1e-12 * abs(self.value(price)):
            return 0.0
        if size * fill < self.terms.costs.min_trade and not closes_all:
            return 0.0
        fixed, value = self.terms.costs.fixed_fee, 0.0
        if closing:
            value += self._close(closing, fill, fixed * closing / size)
        if size > closing:
            value += self._open(size - closing, side, fill, fixed * (size - closing) / size)
        return value

    def full_position(self, equity: float) -> float:
        """The value of a full position at this equity."""
        sizing, most = self.terms.sizing, self.terms.max_leverage
        if sizing.fraction is not None:
            return sizing.fraction * equity
        if sizing.cash is not None:
            return min(sizing.cash, most * equity)
        if sizing.volatility is not None:
            if np.isnan(self.volatility):
                return 0.0
            return equity * (most if self.volatility == 0 else min(most, sizing.volatility / self.volatility))
        return equity

    def go(self, side: int, price: float) -> float:
        """Reverse or open with a full position, or close where side is 0."""
        costs = self.terms.costs
        fill = price * (1 + (side or -np.sign(self.units)) * self.slippage)
        after = self.cash + self.units * fill - abs(self.units) * fill * costs.fees
        full = self.full_position(after)
        units = max(0.0, full - costs.fixed_fee) / (fill * (1 + costs.fees))
        change = side * units - self.units
        return self.order(change, price) if change else 0.0

    def aim(self, weight: float, price: float) -> float:
        """Bring the position to a multiple of a full one, as far as cash and credit reach."""
        costs, value = self.terms.costs, self.value(price)
        most = self.terms.max_leverage * value
        change = max(-most, min(most, weight * self.full_position(value))) / price - self.units
        if weight == 0:
            change = -self.units
        if change > 0:
            fill = price * (1 + self.slippage)
            credit = most - value
            affordable = (self.cash + credit - costs.fixed_fee) / (fill * (1 + costs.fees))
            cover = min(change, max(0.0, -self.units))
            change = min(change, max(affordable, cover))
        return self.order(change, price) if change else 0.0

    def stop(self, opened: float, high: float, low: float) -> float | None:
        """The price at which a stop or target is filled inside a bar, or None."""
        stops, levels, target = self.terms.stops, [], None
        long = self.units > 0
        if stops.stop_loss is not None:
            levels.append(self.entry * (1 - stops.stop_loss if long else 1 + stops.stop_loss))
        if stops.trailing_stop is not None:
            levels.append(self.best * (1 - stops.trailing_stop if long else 1 + stops.trailing_stop))
        if stops.take_profit is not None:
            target = self.entry * (1 + stops.take_profit if long else 1 - stops.take_profit)
        if long:
            level = max(levels, default=-np.inf)
            target = np.inf if target is None else target
            if opened <= level or opened >= target:
                return opened
            return level if low <= level else target if high >= target else None
        level = min(levels, default=np.inf)
        target = -np.inf if target is None else target
        if opened >= level or opened <= target:
            return opened
        return level if high >= level else target if low <= target else None


@dataclass
class Outcome:
    """What the event loop found for one universe."""

    equity: list[float]
    position: list[float]
    traded: list[float]
    profits: list[float]
    interest: float
    ruined: bool


Order = Callable[[Account, int, float], float]


def loop(bars: NDArray[np.float64], order: Order, terms: Terms, history: Any, periods_per_year: float) -> Outcome:
    """One universe (T, 4) bar by bar; `order(account, bar, price)` fills what was decided before, returns its value."""
    account = Account(terms, terms.init_cash)
    done = Outcome([terms.init_cash], [], [], [], 0.0, False)
    known = list(history)

    def ruined(price: float) -> bool:
        if account.value(price) <= 0:
            done.ruined = True
            if account.units:
                account.profits.append(account.units * (price - account.entry) - account.paid)
            account.cash, account.units = account.value(price), 0.0
        return done.ruined

    for bar, (opened, high, low, closed) in enumerate(bars.tolist()):
        recent = float(pd.Series(known).pct_change().dropna().tail(20).std())
        known.append(closed)
        account.volatility = recent * np.sqrt(periods_per_year)
        account.slippage = terms.costs.slippage + terms.costs.slippage_volatility * np.nan_to_num(recent)
        value, position = 0.0, 0.0
        if not ruined(opened):
            before = account.value(opened)
            value = order(account, bar, opened) / before
            if not ruined(opened):
                position = account.units * opened / account.value(opened)
        if terms.stops and account.units:
            left_at = account.stop(opened, high, low)
            if left_at is not None:
                before = account.value(left_at)
                sold = account.order(-account.units, left_at)
                value += sold / before if before else 0.0
                ruined(opened)
            account.best = max(account.best, high) if account.units > 0 else min(account.best, low)
        if not done.ruined:
            earned = account.cash * terms.risk_free / periods_per_year
            held = account.units * closed
            charged = (terms.costs.funding * held + terms.costs.borrow_fee * max(0.0, -held)) / periods_per_year
            account.cash += earned - charged
            account.interest += earned
            account.paid += charged
        if not ruined(closed) and bar == len(bars) - 1 and account.units:
            before = account.value(closed)
            value += account.go(0, closed) / before
            ruined(closed)
        account.closed = closed
        done.equity.append(account.value(closed))
        done.position.append(position)
        done.traded.append(value)
    done.profits, done.interest = account.profits, account.interest
    return done


def side_after(side: int, signals: tuple[bool, ...]) -> int:
    """The side that one row of signals leads to."""
    long_entry, long_exit, short_entry, short_exit = signals
    if long_entry and long_exit:
        long_entry = long_exit = False
    if short_entry and short_exit:
        short_entry = short_exit = False
    if long_entry and short_entry:
        long_entry = short_entry = False
    if long_entry:
        return 1
    if short_entry:
        return -1
    return 0 if (side > 0 and long_exit) or (side < 0 and short_exit) else side


def by_signals(signals: list[NDArray[np.bool_]], warmup: int) -> Order:
    """Orders of four signals (W+T,) of one universe, position carried."""
    side = 0
    for row in range(warmup):
        side = side_after(side, tuple(flags[row] for flags in signals))

    def order(account: Account, bar: int, price: float) -> float:
        now = int(np.sign(account.units))
        if bar == 0:
            then = side
        else:
            then = side_after(now, tuple(flags[warmup - 1 + bar] for flags in signals))
        return account.go(then, price) if then != now else 0.0

    return order


def too_far(account: Account, target: float) -> bool:
    """Whether the weight at the last close is further from its target than the terms bear."""
    rule = account.terms.rebalance
    if rule in ("on-change", "every-bar"):
        return rule == "every-bar"
    equity = account.value(account.closed)
    wanted = target * account.full_position(equity) / equity
    return abs(account.units * account.closed / equity - wanted) > float(rule.partition("=")[2])


def by_weights(weights: NDArray[np.float64], warmup: int) -> Order:
    """Orders of weights (W+T,) of one universe, position carried."""
    target = 0.0
    for row in range(warmup):
        target = target if np.isnan(weights[row]) else weights[row]

    def order(account: Account, bar: int, price: float) -> float:
        nonlocal target
        last, drifted = 0.0 if bar == 0 else target, False
        if bar and not np.isnan(weights[warmup - 1 + bar]):
            target = weights[warmup - 1 + bar]
            drifted = too_far(account, target)
        return account.aim(target, price) if target != last or drifted else 0.0

    return order


def outcomes(universes: Universes, decided: list[Any], terms: Terms) -> list[Outcome]:
    """What the event loop finds in each universe for four signals or one array of weights (W+T, N)."""
    history, periods = universes.history.values[:, 3], universes.history.periods_per_year
    found = []
    for column in range(len(universes)):
        arrays = [array[:, column] for array in decided]
        order = by_signals(arrays, terms.warmup) if len(arrays) == 4 else by_weights(arrays[0], terms.warmup)
        found.append(loop(universes.values[column, :, :4], order, terms, history, periods))
    return found


def assert_equal(run: Backtest, expected: list[Outcome]) -> None:
    """Every array of a backtest equals what the event loop found."""
    for column, outcome in enumerate(expected):
        scale = max(1000.0, *np.abs(outcome.equity))
        for name in ("equity", "position", "traded"):
            actual = getattr(run, name)[:, column]
            np.testing.assert_allclose(actual, getattr(outcome, name), rtol=1e-9, atol=1e-9 * scale, err_msg=name)
        profits = np.array(outcome.profits)
        counted = profits[np.abs(profits) > 1e-7]  # the sign of a trade that made nothing is rounding
        assert run.trades[column] == len(profits)
        assert (counted > 0).sum() <= run.wins[column] <= (counted > 0).sum() + len(profits) - len(counted)
        np.testing.assert_allclose(run.gross_profit[column], profits[profits > 0].sum(), rtol=1e-9, atol=1e-9 * scale)
        np.testing.assert_allclose(run.gross_loss[column], -profits[profits <= 0].sum(), rtol=1e-9, atol=1e-9 * scale)
        np.testing.assert_allclose(run.interest[column], outcome.interest, rtol=1e-9, atol=1e-9 * scale)
        assert run.ruined[column] == outcome.ruined
