"""What `on_bar` is given beside each bar: a dict of its own, and the account that its orders are filled on.

`backtest.bar_account` keeps such an account by the rules of `backtest.order_walk`. It is opened when it is first asked
for: code that answers with target weights has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from stresslab.core.text import did_you_mean
from stresslab.strategy.order_frames import LEVELS, MOST, WHOLE, level_rule
from stresslab.strategy.panel import Decisions, Panel

LONG, SHORT = 0, 1


class WaitingOrder(NamedTuple):
    """An entry that waits for its price.

    Attributes:
        side: "long" or "short".
        limit: its price at most (short: at least), or None.
        stop: the price from which it fills, or None.
        bars: bars of the universe since it was given, 0 for one of this bar.
    """

    side: str
    limit: float | None
    stop: float | None
    bars: int


class OpenTrade(NamedTuple):
    """A trade that is open.

    Attributes:
        units: held, negative where short.
        entry_price: with slippage.
        bars: bars of the universe since it was entered, 0 for one entered in this bar.
        profit: at this close, currency, costs of the entry and of holding included.
        stop: the price at which it is given up now, trailing included; None without one.
        target: the price at which its gain is taken; None without one.
    """

    units: float
    entry_price: float
    bars: int
    profit: float
    stop: float | None
    target: float | None


class BarAccount(Protocol):
    """One account that is walked bar by bar; rows are those of the panel."""

    def advance(self, row: int) -> None:
        """Fill what was ordered, up to the close of a row."""

    def enter(self, side: int, levels: Mapping[str, float]) -> None:
        """Order an entry for the next open."""

    def leave(self, share: float) -> None:
        """Order an exit for the next open."""

    def cancel(self) -> None:
        """Take back entries that wait, and those of this row."""

    def ordered(self, side: int) -> bool:
        """Whether an entry of this row fills at the next open, whatever its price."""

    @property
    def cash(self) -> float:
        """Cash at the close, currency."""

    @property
    def equity(self) -> float:
        """Cash and what is held, at the close."""

    @property
    def position(self) -> float:
        """Units held, negative where short."""

    @property
    def trades(self) -> Sequence[OpenTrade]:
        """Open trades, oldest first."""

    @property
    def orders(self) -> Sequence[WaitingOrder]:
        """Entries that wait, those of this row included."""

    def decisions(self) -> Decisions:
        """All orders as decisions of the panel's rows."""


Opened = Callable[[Panel], BarAccount]
"""Opens the account of the one universe in a panel."""


class BarState(dict[str, Any]):
    """The state of `on_bar` in one universe: a dict that its code alone writes to, and its account.

    Whoever reads the account or gives an order returns no target weight. The account begins flat with the first bar of
    the universe; what is ordered at a close fills from the next open on, by the rules of orders with prices (see
    `sl.Orders`): one entry of a side waits at most, and a new one takes its place; an exit cancels the entry that waits
    on the side that it leaves; a fill cancels what waits on the other side; an entry against an open position closes it
    first. An entry beside an open position of its side adds a trade, as far as cash or credit reach.
    """

    def __init__(self, panel: Panel | None, opened: Opened) -> None:
        super().__init__()
        self.row = 0
        self._panel, self._opened = panel, opened
        self._account: BarAccount | None = None

    @property
    def account(self) -> BarAccount | None:
        """The account, where it was asked for."""
        return self._account

    def _now(self) -> BarAccount:
        """The account at this bar's close."""
        if self._account is None:
            if self._panel is None:
                raise ValueError("a strategy of several symbols has no account to order on; return target weights")
            self._account = self._opened(self._panel)
        self._account.advance(self.row)
        return self._account

    @property
    def position(self) -> float:
        """Units held at this close, negative where short."""
        return self._now().position

    @property
    def entry_price(self) -> float:
        """Mean entry price of the units held, NaN where nothing is."""
        trades = self._now().trades
        units = sum(one.units for one in trades)
        return sum(one.units * one.entry_price for one in trades) / units if trades else float("nan")

    @property
    def equity(self) -> float:
        """Cash and what is held, at this close, currency."""
        return self._now().equity

    @property
    def cash(self) -> float:
        """Cash, currency."""
        return self._now().cash

    @property
    def trades(self) -> Sequence[OpenTrade]:
        """Open trades, oldest first."""
        return self._now().trades

    @property
    def orders(self) -> Sequence[WaitingOrder]:
        """Entries that wait for their price."""
        return self._now().orders

    def enter_long(self, **levels: float | None) -> None:
        """Order a long entry.

        Args:
            levels: by name, None for none: `limit` or `stop`, its price (without one it fills at the next open);
                `lifetime`, bars for which it waits; `size`, share of the equity (1 by default), or `units`; `stop_loss`
                and `take_profit`, prices; `trailing_stop`, a fraction; `exit_after`, bars.

        Raises:
            ValueError: a level cannot be meant.
        """
        self._enter(LONG, levels)

    def enter_short(self, **levels: float | None) -> None:
        """Order a short entry; the arguments are those of `enter_long`."""
        self._enter(SHORT, levels)

    def close(self, share: float = 1.0) -> None:
        """Leave the position, or a share of it, at the next open; nothing where nothing is held.

        Raises:
            ValueError: the share is not in (0, 1].
        """
        if not 0 < share <= 1:
            raise ValueError(f"close(share={share!r}) is not in (0, 1]; write 0.5 for half of the position")
        account = self._now()
        if account.trades:
            account.leave(float(share))

    def cancel(self) -> None:
        """Take back all entries that wait."""
        self._now().cancel()

    def _enter(self, side: int, given: Mapping[str, float | None]) -> None:
        levels = checked_levels(side, given)
        account = self._now()
        if "limit" not in levels and "stop" not in levels and account.ordered(1 - side):
            raise ValueError("a long and a short entry without a price for the same open; give one of them")
        account.enter(side, levels)

    def __getattr__(self, name: str) -> Any:
        known = ("enter_long", "enter_short", "close", "cancel", "position", "entry_price", "equity", "cash", "trades",
                 "orders")  # fmt: skip
        near = {"buy": "enter_long", "sell": "enter_short or close", "exit": "close"}.get(name)
        hint = f"; write {near}" if near else did_you_mean(name, known)
        raise AttributeError(f"state has no {name!r}{hint}")


ENTRY_LEVELS = tuple(name for name in LEVELS if name != "exit_size")


def checked_levels(side: int, given: Mapping[str, float | None]) -> dict[str, float]:
    """The levels of an entry that were given, as numbers.

    Raises:
        ValueError: one has no such name, is no number, or cannot be meant.
    """
    levels: dict[str, float] = {}
    for name, value in given.items():
        if name not in ENTRY_LEVELS:
            raise ValueError(f"an entry has no {name!r}{did_you_mean(name, ENTRY_LEVELS)}")
        if value is None or (isinstance(value, float) and value != value):
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            raise ValueError(f"{name}={value!r} is no number; give None where there is none")
        whole = name not in WHOLE or value % 1 == 0
        if not (0 < value <= MOST.get(name, float("inf")) and whole):
            raise ValueError(f"{name}={value:g} is not {level_rule(name)}; give None where there is none")
        levels[name] = float(value)
    for one, other in (("limit", "stop"), ("size", "units")):
        if one in levels and other in levels:
            raise ValueError(f"an entry has {one} and {other}; give one of them")
    price, sign = levels.get("limit", levels.get("stop")), 1 - 2 * side
    for name, way in (("stop_loss", sign), ("take_profit", -sign)):
        if price is not None and name in levels and way * levels[name] >= way * price:
            raise ValueError(
                f"{name}={levels[name]:g} for an entry at {price:g} would leave at once; it lies "
                f"{'below' if way > 0 else 'above'} the entry"
            )
    return levels
