"""One account that is walked bar by bar while its strategy decides, by the very rules that walk finished orders.

`strategy.bar_state` shows it to the user's code. Its orders become decisions, which the engine fills once more and at
once; both walk `order_walk.walk_bar`, so they cannot differ. Shapes: W rows of warm-up, T bars.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stresslab.backtest.open_trades import NUMBERS, Books, new_account, stop_of
from stresslab.backtest.order_fills import TRADE
from stresslab.backtest.order_walk import walk_bar
from stresslab.core.arrays import FloatArray
from stresslab.data.bars import FIELDS
from stresslab.strategy.bar_state import LONG, SHORT, OpenTrade, WaitingOrder
from stresslab.strategy.order_frames import LEVELS, MOST_ENTRIES
from stresslab.strategy.panel import SIDES, Decisions, OrderRules, Panel, frozen

RULES = OrderRules(0, MOST_ENTRIES, one_cancels_other=True, on_account=True)
_LIMIT, _STOP, _LIFETIME, _EXIT_SIZE = (LEVELS.index(name) for name in ("limit", "stop", "lifetime", "exit_size"))
_SIDES = ("long", "short")
_NEVER = (float(np.finfo(np.float64).tiny), float(np.finfo(np.float64).max))
"""Limits of a long and a short entry that no price reaches."""


class WalkedAccount:
    """An account of one universe, and what was ordered on it.

    Orders of a row are those of the next open. Before the last row of the warm-up nothing is kept: the account begins
    with the first open after it.
    """

    def __init__(self, panel: Panel, rates: tuple[float, ...], slippage: FloatArray, init_cash: float) -> None:
        self._warmup, self._rows = panel.warmup, panel.rows
        steps = self._rows - self._warmup
        prices = [panel.array(name)[self._warmup :, 0] for name in FIELDS[:4]]
        self._prices: FloatArray = np.ascontiguousarray(np.stack(prices, axis=1), dtype=np.float64)  # (T, 4)
        self._flags = np.zeros((steps, 4), dtype=np.bool_)
        self._levels = np.full((steps, 2, len(LEVELS)), np.nan)
        self._interest = rates[5] != 0
        state, table = np.array([init_cash, 1.0]), np.zeros((0, len(TRADE)))
        self._books = Books(state, np.zeros(len(NUMBERS)), np.zeros(steps), slippage, rates, table)
        self._curves = np.full(steps + 1, init_cash), np.zeros(steps), np.zeros((2, steps))
        self._open, self._waiting = new_account(MOST_ENTRIES)
        self._over, self._row = 0, 0  # bars of the universe that have closed, and the row that has

    def advance(self, row: int) -> None:
        """Fill what was ordered, up to the close of a row."""
        self._row, over = row, min(row - self._warmup + 1, len(self._flags))
        if over <= self._over:
            return
        for t in range(self._over, over):
            if self._interest or self._open.count[0] or self._flags[t].any() or self._waiting[:, 0].max() >= 0:
                walk_bar(
                    t, (self._flags, self._levels, RULES), self._prices, self._books, self._curves,
                    (self._open, self._waiting),
                )  # fmt: skip
        self._over = over

    @property
    def _next(self) -> int | None:
        """The bar whose open orders of now are for; None where there is none, or the account has not begun."""
        at = self._row - self._warmup + 1
        return at if 0 <= at < len(self._flags) else None

    def enter(self, side: int, levels: Mapping[str, float]) -> None:
        """Order an entry for the next open."""
        if self._next is None:
            return
        self._flags[self._next, 2 * side] = True
        share = self._levels[self._next, side, _EXIT_SIZE]
        self._levels[self._next, side] = [levels.get(name, np.nan) for name in LEVELS]
        self._levels[self._next, side, _EXIT_SIZE] = share

    def leave(self, share: float) -> None:
        """Order an exit for the next open."""
        if self._next is None:
            return
        side = LONG if self._open.units[0] > 0 else SHORT
        self._flags[self._next, 2 * side + 1] = True
        self._levels[self._next, side, _EXIT_SIZE] = share

    def cancel(self) -> None:
        """Take back entries that wait, and those of this row.

        An entry that can never fill and ends with the next bar takes the place of one that waits.
        """
        for side in (LONG, SHORT):
            if self._next is None or (self._waiting[side, 0] < 0 and not self._flags[self._next, 2 * side]):
                continue
            self.enter(side, {"limit": _NEVER[side], "lifetime": 1.0})

    def ordered(self, side: int) -> bool:
        """Whether an entry of this row fills at the next open, whatever its price."""
        at = self._next
        if at is None or not self._flags[at, 2 * side]:
            return False
        return bool(np.isnan(self._levels[at, side, [_LIMIT, _STOP]]).all())

    @property
    def cash(self) -> float:
        """Cash at the close."""
        return float(self._books.state[0])

    @property
    def equity(self) -> float:
        """Cash and what is held, at the close."""
        return self.cash + self.position * self._price

    @property
    def position(self) -> float:
        """Units held."""
        return float(self._open.units[: self._open.count[0]].sum())

    @property
    def _price(self) -> float:
        """The last close; before the first one nothing is held that it would value."""
        return float(self._prices[self._over - 1, 3]) if self._over else 0.0

    @property
    def trades(self) -> list[OpenTrade]:
        """Open trades, oldest first."""
        found, held = [], self._open
        for k in range(int(held.count[0])):
            units, entry = float(held.units[k]), float(held.entry[k])
            stop, target = float(stop_of(k, 1.0 if units > 0 else -1.0, held)), float(held.target[k])
            profit = units * (self._price - entry) - float(held.paid[k])
            age = self._over - 1 - int(held.since[k])
            found.append(OpenTrade(units, entry, age, profit, _finite(stop), _finite(target)))
        return found

    @property
    def orders(self) -> list[WaitingOrder]:
        """Entries that wait, those of this row included, without those that an exit of this row takes back."""
        found, at = [], self._next
        for side in (LONG, SHORT):
            given = int(self._waiting[side, 0])
            if at is not None and self._flags[at, 2 * side]:
                given = at
            elif at is not None and self._flags[at, 2 * side + 1]:
                given = -1
            if given < 0:
                continue
            limit, stop = (float(self._levels[given, side, name]) for name in (_LIMIT, _STOP))
            if limit != _NEVER[side]:
                found.append(WaitingOrder(_SIDES[side], _finite(limit), _finite(stop), max(self._over - given, 0)))
        return found

    def decisions(self) -> Decisions:
        """All orders as decisions of the panel's rows: those for an open stand in the row before it."""
        first, rows = self._warmup, self._rows
        given = self._flags[:, :] if first else self._flags[1:]
        values = self._levels if first else self._levels[1:]
        start = max(first - 1, 0)
        flags = np.zeros((rows, 4), dtype=np.bool_)
        levels = np.full((rows, 2, len(LEVELS)), np.nan)
        flags[start : start + len(given)], levels[start : start + len(given)] = given, values
        sides: dict[str, Any] = {name: frozen(flags[:, at : at + 1].copy()) for at, name in enumerate(SIDES)}
        named = {
            f"{side}_{name}": frozen(levels[:, at, number : number + 1].copy())
            for at, side in enumerate(_SIDES)
            for number, name in enumerate(LEVELS)
        }
        return Decisions(**sides, levels=named, rules=RULES)


def _finite(price: float) -> float | None:
    return price if np.isfinite(price) else None


def plain_account(panel: Panel, init_cash: float) -> WalkedAccount:
    """An account without costs and credit, for code that is tried outside a run."""
    return WalkedAccount(panel, (0.0,) * 6 + (1.0,), np.zeros(panel.rows - panel.warmup), init_cash)
