"""One account that trades as Jesse's backtest does: what a strategy orders at a close, and what fills inside a bar.

A bar goes from its open to its close by the nearer way that Jesse takes: a bar that rises by its low and its high, one
that falls by its high and its low. Whatever that path meets fills there, and what a fill orders can be met after it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import StrategyError
from stresslab.strategy.frameworks.accounts import Traded
from stresslab.strategy.frameworks.jesse_orders import DUST, Book, Order, Position, along, gapped, near, rest_of

OPEN, CLOSE, HIGH, LOW = 1, 2, 3, 4


class Trader:
    """A strategy on its account.

    Attributes:
        price: the current one.
        position: what is held.
        leverage: of the account.
    """

    def __init__(self, strategy: Any, frame: pd.DataFrame, cash: float, leverage: float) -> None:
        stamps = frame.index.as_unit("ms").asi8 if isinstance(frame.index, pd.DatetimeIndex) else np.arange(len(frame))
        self._rows = np.column_stack([stamps, frame.to_numpy(float)])
        self._rows.setflags(write=False)
        self._step = float(np.median(np.diff(stamps[:50]))) if len(stamps) > 1 else 0.0
        self.strategy, self.leverage = strategy, leverage
        self.position, self.price = Position(cash), np.nan
        self._row = 0
        self._partial: FloatArray | None = None
        self._orders: list[Order] = []
        self._queue: list[Order] = []
        self._fresh: list[Order] = []
        self._said: dict[str, FloatArray] = {}
        self._book = Book()
        strategy._account, strategy.name = self, type(strategy).__name__

    # What a strategy reads.

    def candles(self) -> FloatArray:
        """(rows, 6) time, open, close, high, low and volume up to now; the last one is open while an order fills."""
        if self._partial is None:
            return self._rows[: self._row + 1]
        return np.vstack([self._rows[: self._row], self._partial])

    def time(self) -> int:
        """When the bar ends, in milliseconds."""
        return int(self._rows[self._row, 0] + self._step)

    def entry_orders(self) -> list[Order]:
        """Orders that wait and would open a position, or add to it."""
        held = self.position.qty
        return [one for one in self._orders if one.is_active and (held == 0 or one.qty * held > 0)]

    def exit_orders(self) -> list[Order]:
        """Orders that wait and would take from the position."""
        return [one for one in self._orders if one.is_active and one.qty * self.position.qty < 0]

    def enters(self, side: int) -> bool:
        """Whether entries to one side wait, or are about to be ordered."""
        waiting = self.entry_orders()
        given = self.strategy.buy if side > 0 else self.strategy.sell
        return waiting[0].qty * side > 0 if waiting else given is not None

    def available_margin(self) -> float:
        """Cash that neither the position nor an entry that waits has taken."""
        position = self.position
        held = abs(position.qty) * (position.entry_price or 0.0) / self.leverage - position.pnl
        sides = (
            sum(abs(one.qty) * one.price for one in self._orders if one.is_active and not one.reduce_only
                and one.qty * side > 0)
            for side in (1, -1)
        )  # fmt: skip
        return position.wallet - held - max(sides) / self.leverage

    # The run.

    def traded(self, begin: int) -> Traded:
        """What it trades when it may decide from a row on."""
        ordered, waiting = (np.full(len(self._rows), np.nan) for _ in range(2))
        for row in range(begin, len(self._rows)):
            self._row = row
            self._within(self._rows[row], self._rows[row - 1, CLOSE] if row else np.nan)
            self._move(float(self._rows[row, CLOSE]))
            self._partial, equity = None, self.position.wallet + self.position.pnl
            if equity <= 0:
                break
            self._decide()
            if self._fresh:
                ordered[row] = sum(one.qty for one in self._fresh) * self.price / equity
            if prices := [one.price for one in self._orders if one.is_active and one.type != "MARKET"]:
                waiting[row] = sum(prices)
            self._at_market()
            self._orders = [one for one in self._orders if one.is_active]
        return Traded(self._book.events, ordered, waiting)

    def _decide(self) -> None:
        """What the strategy does at a close."""
        strategy = self.strategy
        self._fresh = []
        strategy.before()
        if self.position.is_close and self.entry_orders() and strategy.should_cancel_entry():
            self._cancel_all()
        if self.position.is_open:
            strategy.update_position()
            self._changed()
        self._at_market()
        if self.position.is_close and not self.entry_orders():
            self._reset()
            short, long = strategy.should_short(), strategy.should_long()
            if short and long:
                raise StrategyError(f"{strategy.name}: should_long and should_short are true at once; let one of them")
            if long or short:
                self._enter("buy" if long else "sell")
        strategy.after()
        strategy.index += 1

    def _enter(self, side: str) -> None:
        strategy = self.strategy
        (strategy.go_long if side == "buy" else strategy.go_short)()
        if getattr(strategy, side) is None:
            raise StrategyError(f"{strategy.name} sets no self.{side} where it enters; write self.{side} = qty, price")
        for name in (side, "stop_loss", "take_profit"):
            if getattr(strategy, name) is not None:
                self._noted(name)
        if not all(passes() for passes in strategy.filters()):
            self._reset()
            return
        self._submit_entries(side)

    def _noted(self, name: str) -> FloatArray:
        """Bring what a strategy says to (n, 2) of units and prices, and remember it."""
        self._said[name] = self._formatted(name).copy()
        return self._said[name]

    def _formatted(self, name: str) -> FloatArray:
        given: Any = getattr(self.strategy, name)
        rows: FloatArray
        try:
            rows = np.zeros((0, 2)) if given is None or len(given) == 0 else np.array(given, dtype=float)
            rows = np.atleast_2d(rows).astype(np.float64)
            if rows.ndim != 2 or rows.shape[1] != 2:
                raise ValueError
        except (TypeError, ValueError):
            raise StrategyError(f"self.{name} is {given!r:.60}; write (qty, price), or a list of such pairs") from None
        if not np.isfinite(rows).all() or (rows[:, 1] <= 0).any() or (rows[:, 0] == 0).any():
            raise StrategyError(f"self.{name} is {given!r:.60}; quantities are not 0, prices are above it, all finite")
        setattr(self.strategy, name, rows)
        return rows

    def _differs(self, name: str) -> bool:
        """Whether a strategy says something else than before; it is remembered."""
        before = self._said.get(name)
        now = self._formatted(name)
        if np.array_equal(now, np.zeros((0, 2)) if before is None else before):
            return False
        self._noted(name)
        return True

    def _changed(self) -> None:
        """Order again what a strategy changed while it holds a position."""
        if self.position.is_close:
            return
        side = "buy" if self.position.qty > 0 else "sell"
        if self._differs(side):
            self._cancel(self.entry_orders())
            self._submit_entries(side)
        for name in ("stop_loss", "take_profit"):
            if getattr(self.strategy, name) is not None and self._differs(name):
                self._cancel(one for one in self.exit_orders() if one.via == name)
                for qty, price in self._said[name]:
                    self._submit_exit(name, qty, price)
        stop, target = self.strategy.stop_loss, self.strategy.take_profit
        if stop is not None and target is not None and len(stop) and np.array_equal(stop, target):
            raise StrategyError(f"{self.strategy.name} has one and the same stop_loss and take_profit; leave one out")

    def _submit_entries(self, side: str) -> None:
        sign = 1 if side == "buy" else -1
        for qty, price in self._said[side]:
            if near(price, self.price):
                self._submit(Order(sign * abs(qty), self.price, "MARKET", False, "entry"))
            else:
                kind = "STOP" if (price > self.price) == (sign > 0) else "LIMIT"
                self._submit(Order(sign * abs(qty), price, kind, False, "entry"))

    def _submit_exit(self, via: str, qty: float, price: float) -> None:
        sign = -1 if self.position.qty > 0 else 1
        kind = "MARKET" if near(price, self.price) else "LIMIT" if (price - self.price) * sign < 0 else "STOP"
        self._submit(Order(sign * abs(qty), price, kind, True, via))

    def _submit(self, order: Order) -> None:
        if not order.reduce_only and abs(order.qty) * order.price / self.leverage > self.available_margin() * (
            1 + DUST
        ):
            raise StrategyError(
                f"{self.strategy.name} orders {abs(order.qty):g} at {order.price:g} with a margin of "
                f"{self.available_margin():g}; order less, or write LEVERAGE = 2 (or more) below the class"
            )
        self._orders.append(order)
        if order.type == "MARKET":
            self._queue.append(order)
        if self._partial is None:
            self._fresh.append(order)

    def _cancel(self, orders: Iterable[Order]) -> None:
        for one in list(orders):
            one.is_active = False

    def _cancel_all(self) -> None:
        self._cancel(self._orders)
        self._reset()
        self.strategy.on_cancel()

    def _reset(self) -> None:
        strategy = self.strategy
        strategy.buy = strategy.sell = strategy.stop_loss = strategy.take_profit = None
        strategy.increased_count = strategy.reduced_count = 0
        self._said.clear()

    # What fills.

    def _at_market(self) -> None:
        """Market orders fill on this account at the close, and in the run at the next open."""
        for one in self._queue:  # which grows by what a fill orders
            if one.is_active:
                self._fill(one, one.price, self._row + 1)
        self._queue = []
        self._move(self.price)

    def _within(self, bar: FloatArray, before: float) -> None:
        """What fills inside a bar."""
        if not any(one.is_active for one in self._orders):
            return
        opened, close, high, low = bar[OPEN : LOW + 1].tolist()
        self._partial = np.array([bar[0], opened, opened, opened, opened, 0.0])
        up = opened > before
        beyond = [one for one in self._orders if one.is_active and gapped(one, before, opened)]
        for one in sorted(beyond, key=lambda one: one.price, reverse=not up):
            if one.is_active:
                self._move(opened)
                self._fill(one, opened, self._row)
        while met := [one for one in self._orders if one.is_active and low <= one.price <= high]:
            one = min(met, key=along(opened, rises=close >= opened))
            opened, close, high, low = rest_of(opened, close, high, low, one.price)
            self._move(one.price)
            self._fill(one, one.price, self._row)

    def _move(self, price: float) -> None:
        """The price is another one."""
        self.price = self.position.current_price = price
        if self._partial is not None:
            self._partial[CLOSE] = price
            self._partial[HIGH], self._partial[LOW] = max(self._partial[HIGH], price), min(self._partial[LOW], price)

    def _fill(self, order: Order, price: float, row: int) -> None:
        """An order fills at a price on this account, and in the run in a row."""
        position, strategy, order.price, order.is_active = self.position, self.strategy, price, False
        position.current_price = price
        equity, units, held = position.wallet + position.pnl, order.qty, position.qty
        booked = price if row == self._row else float(self._rows[row, OPEN]) if row < len(self._rows) else np.nan
        equity *= booked / price  # so that shares of it are those that were ordered
        if held * units >= 0:
            position.entry_price = (abs(held) * (position.entry_price or 0.0) + abs(units) * price) / abs(held + units)
            position.qty = held + units
            if row < len(self._rows):
                self._book.opened(row, booked, units, equity)
            self._after_entry(order, first=held == 0)
            return
        whole = abs(units) >= abs(held) * (1 - DUST)
        units = -held if whole else units
        entry = float(position.entry_price or 0.0)
        position.wallet -= units * (price - entry)
        position.qty = 0.0 if whole else held + units
        if row < len(self._rows):
            self._book.reduced(row, booked, units, equity, whole=whole)
        if not whole:
            strategy.reduced_count += 1
            strategy.on_reduced_position(order)
            self._changed()
            return
        position.entry_price = None
        strategy.trades_count += 1
        strategy.last_trade_index = strategy.index
        closed = SimpleNamespace(
            type="long" if held > 0 else "short", entry_price=entry, exit_price=price, qty=abs(held),
            pnl=held * (price - entry),
        )  # fmt: skip
        self._cancel_all()
        _called(strategy.on_close_position, order, closed)

    def _after_entry(self, order: Order, *, first: bool) -> None:
        """What a strategy does when it has entered or added."""
        strategy = self.strategy
        if not first:
            strategy.increased_count += 1
            strategy.on_increased_position(order)
            self._changed()
            return
        strategy.increased_count = 1
        entry, sign = float(self.position.entry_price or 0.0), 1 if self.position.qty > 0 else -1
        for name, wrong in (("stop_loss", sign), ("take_profit", -sign)):
            if getattr(strategy, name) is None:
                continue
            for qty, price in self._said.get(name, []):
                if (price - entry) * wrong >= 0:  # on the wrong side of the entry: out at once
                    self._submit(Order(-sign * abs(qty), self.price, "MARKET", True, name))
                else:
                    self._submit_exit(name, qty, price)
        strategy.on_open_position(order)
        self._changed()


def _called(method: Callable[..., Any], *values: Any) -> None:
    """Call a method with as many values as it takes."""
    try:
        inspect.signature(method).bind(*values)
    except TypeError:
        values = values[:1]
    method(*values)
