"""An open trade of freqtrade, as a strategy's callbacks see it; `freqtrade_trades` opens, moves and closes it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from stresslab.core.errors import StrategyError

ROUNDING = 1e-9
"""Share of what is taken from a trade that counts as none."""
SPOT = 1.0
"""Leverage of a trade: the accounts decide about credit."""


@dataclass(frozen=True)
class Order:
    """A filled order of a trade, as callbacks read it.

    Attributes:
        ft_order_side: "buy" or "sell".
        price: of the fill.
        amount: units.
        order_filled_utc: when its bar begins.
        ft_order_tag: why.
    """

    ft_order_side: str
    price: float
    amount: float
    order_filled_utc: Any
    ft_order_tag: str | None = None

    @property
    def stake_amount(self) -> float:
        """Money in it."""
        return self.price * self.amount

    def __getattr__(self, name: str) -> Any:
        known = {
            "cost": self.stake_amount, "stake_amount_filled": self.stake_amount, "side": self.ft_order_side,
            "average": self.price, "safe_price": self.price, "filled": self.amount, "safe_filled": self.amount,
            "safe_amount": self.amount, "order_filled_date": self.order_filled_utc,
            "order_date": self.order_filled_utc, "order_date_utc": self.order_filled_utc, "status": "closed",
        }  # fmt: skip
        if name in known:
            return known[name]
        if name.startswith("__"):
            raise AttributeError(name)
        raise StrategyError(f"order.{name} is not known here; an order has price, amount, stake_amount and the like")


@dataclass
class Trade:
    """An open trade, with what a strategy's callbacks ask of it.

    Attributes:
        pair: of the series.
        open_rate: price of entry, of several the mean.
        open_date_utc: when it was opened.
        is_short: its side.
        stake_amount: money in it.
        amount: units.
        stop_loss: price of its stop.
        lanes: of the fills, each with its units.
        orders: all of them, which are filled.
    """

    pair: str
    open_rate: float
    open_date_utc: Any
    is_short: bool
    stake_amount: float
    amount: float
    enter_tag: str | None
    lanes: list[tuple[int, float]]
    stop_loss: float = 0.0
    initial_stop_loss: float = 0.0
    stop_loss_pct: float = 0.0
    is_stop_loss_trailing: bool = False
    max_rate: float = 0.0
    min_rate: float = math.inf
    leverage: float = SPOT
    nr_of_successful_entries: int = 1
    nr_of_successful_exits: int = 0
    realized_profit: float = 0.0
    max_stake_amount: float = 0.0
    is_open: bool = True
    fee_open: float = 0.0
    fee_close: float = 0.0
    has_open_orders: bool = False
    orders: list[Order] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def fill(self, units: float, price: float, when: Any, *, leaving: bool = False, tag: str | None = None) -> None:
        """Note a filled order."""
        self.orders.append(Order(self.exit_side if leaving else self.entry_side, price, units, when, tag))

    def select_filled_orders(self, order_side: str | None = None) -> list[Order]:
        """Its orders, of a side."""
        return [one for one in self.orders if order_side in (None, one.ft_order_side)]

    @property
    def date_last_filled_utc(self) -> Any:
        """When the last of its orders was filled."""
        return self.orders[-1].order_filled_utc

    @property
    def nr_of_successful_buys(self) -> int:
        """Orders that bought."""
        return len(self.select_filled_orders("buy"))

    @property
    def nr_of_successful_sells(self) -> int:
        """Orders that sold."""
        return len(self.select_filled_orders("sell"))

    @property
    def sign(self) -> float:
        """1 long, -1 short."""
        return -1.0 if self.is_short else 1.0

    @property
    def open_date(self) -> Any:
        """When it was opened."""
        return self.open_date_utc

    @property
    def trade_direction(self) -> str:
        """Its side in a word."""
        return "short" if self.is_short else "long"

    @property
    def entry_side(self) -> str:
        """The order that opens it."""
        return "sell" if self.is_short else "buy"

    @property
    def exit_side(self) -> str:
        """The order that closes it."""
        return "buy" if self.is_short else "sell"

    def calc_profit_ratio(self, rate: float) -> float:
        """Profit at a price as a share of what it cost, before fees."""
        return self.sign * (rate / self.open_rate - 1.0)

    def calc_profit(self, rate: float) -> float:
        """Profit at a price, before fees."""
        return self.sign * self.amount * (rate - self.open_rate)

    def get_custom_data(self, key: str, default: Any = None) -> Any:
        """What a strategy keeps with it."""
        return self.data.get(key, default)

    def set_custom_data(self, key: str, value: Any) -> None:
        """Keep something with it."""
        self.data[key] = value

    def add(self, lane: int, stake: float, units: float) -> None:
        """Put more money in: the price of entry becomes the mean, and the stop follows it where it comes nearer."""
        self.open_rate = (self.open_rate * self.amount + stake) / (self.amount + units)
        self.amount, self.stake_amount = self.amount + units, self.stake_amount + stake
        self.max_stake_amount += stake
        self.lanes.append((lane, units))
        self.nr_of_successful_entries += 1
        self.adjust_stop(self.open_rate, self.stop_loss_pct)

    def take(self, units: float, rate: float) -> list[tuple[int, float]]:
        """Take units out at a price, those first that were put in first.

        Returns:
            Of each lane that they come from, the portion of what it held.
        """
        portions, kept, left = [], [], units
        for lane, held in self.lanes:
            portion = 0.0 if left <= ROUNDING * units else min(1.0, left / held)
            portion = 1.0 if portion > 1.0 - ROUNDING else portion
            left -= portion * held
            portions += [(lane, portion)] if portion > 0 else []
            kept += [(lane, held * (1.0 - portion))] if portion < 1.0 else []
        self.lanes = kept
        self.realized_profit += self.sign * units * (rate - self.open_rate)
        self.amount -= units
        self.stake_amount -= units * self.open_rate
        self.nr_of_successful_exits += 1
        self.adjust_stop(self.open_rate, self.stop_loss_pct)
        return portions

    def adjust_stop(self, rate: float, stop: float, *, initial: bool = False, either_way: bool = False) -> None:
        """Bring the stop to a fraction below (short: above) a price, where that is nearer; or either way."""
        level = rate * (1.0 - self.sign * abs(stop))
        if initial:
            self.stop_loss = self.initial_stop_loss = level
            self.stop_loss_pct = -abs(stop)
            self.max_stake_amount = self.stake_amount
        elif either_way:
            self.stop_loss, self.stop_loss_pct = level, -abs(stop)
        elif self.sign * level > self.sign * self.stop_loss:
            self.stop_loss, self.stop_loss_pct, self.is_stop_loss_trailing = level, -abs(stop), True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise StrategyError(f"trade.{name} is not known here; a trade has open_rate, stop_loss, amount and the like")
