"""What an account of Jesse's has: orders, a net position, its trades, and the path of a bar that meets prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from stresslab.strategy.frameworks.accounts import Event

NEAR = 0.00015
"""Relative distance from the current price within which an order is a market order."""
DUST = 1e-9
"""Relative difference of units that is rounding."""


@dataclass(eq=False)
class Order:
    """An order; the names are those by which strategies read it.

    Attributes:
        qty: signed units.
        price: at which it fills.
        type: MARKET, LIMIT or STOP.
        reduce_only: whether it only takes from the position.
        via: what it was ordered as: an entry, "stop_loss" or "take_profit".
        is_active: whether it waits.
    """

    qty: float
    price: float
    type: str
    reduce_only: bool
    via: str
    is_active: bool = True

    side = property(lambda self: "buy" if self.qty > 0 else "sell")
    is_stop_loss = property(lambda self: self.via == "stop_loss")
    is_take_profit = property(lambda self: self.via == "take_profit")


@dataclass
class Position:
    """What is held; the names are those by which strategies read it.

    Attributes:
        wallet: cash without what an open position earns.
        qty: signed units.
        entry_price: average.
        current_price: the last one.
    """

    wallet: float
    qty: float = 0.0
    entry_price: float | None = None
    current_price: float = np.nan

    is_open = property(lambda self: self.qty != 0)
    is_close = property(lambda self: self.qty == 0)
    type = property(lambda self: "long" if self.qty > 0 else "short" if self.qty < 0 else "close")
    value = property(lambda self: abs(self.qty) * self.current_price)

    @property
    def pnl(self) -> float:
        """What it would earn if it ended now."""
        return self.qty * (self.current_price - self.entry_price) if self.entry_price is not None else 0.0

    @property
    def pnl_percentage(self) -> float:
        """The same in percent of what it cost."""
        return 100 * self.pnl / abs(self.qty * self.entry_price) if self.entry_price is not None else 0.0


@dataclass
class Book:
    """Fills of one net position as fills of trades, the oldest closed first."""

    events: list[Event] = field(default_factory=list)
    _open: list[list[float]] = field(default_factory=list)
    _number: int = 0

    def opened(self, bar: int, price: float, units: float, equity: float) -> None:
        """A trade opens."""
        self.events.append(Event(bar, self._number, price, units, equity))
        self._open.append([self._number, units])
        self._number += 1

    def reduced(self, bar: int, price: float, units: float, equity: float, *, whole: bool) -> None:
        """So many units are taken from what is open, or all of it."""
        left = units
        while self._open and (whole or abs(left) > DUST * abs(units)):
            first = self._open[0]
            all_of_it = whole or abs(left) >= abs(first[1]) * (1 - DUST)
            part = -first[1] if all_of_it else left
            self.events.append(Event(bar, int(first[0]), price, part, equity))
            first[1] += part
            left -= part
            if all_of_it:
                self._open.pop(0)


def near(price: float, current: float) -> bool:
    """Whether an order at a price is a market order."""
    return abs(1 - price / current) <= NEAR


def gapped(order: Order, before: float, opened: float) -> bool:
    """Whether a bar opens beyond the price of an order."""
    limit, buys = order.type == "LIMIT", order.qty > 0
    if order.type == "MARKET" or opened == before:
        return False
    if opened > before:
        return before <= order.price <= opened and limit != buys
    return opened <= order.price <= before and limit == buys


def along(opened: float, *, rises: bool) -> Callable[[Order], tuple[bool, float]]:
    """By what orders are sorted as the path of a bar meets them."""

    def place(order: Order) -> tuple[bool, float]:
        below = order.price <= opened
        return order.price != opened and below != rises, abs(order.price - opened)

    return place


def rest_of(opened: float, close: float, high: float, low: float, price: float) -> tuple[float, float, float, float]:
    """Open, close, high and low of what is left of a bar after its path met a price."""
    if price == opened:
        return opened, close, high, low
    if close >= opened:
        return price, close, high, low if price < opened else min(price, close)
    return price, close, high if price > opened else max(price, close), low
