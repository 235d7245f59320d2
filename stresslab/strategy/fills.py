"""Fills: what an adapter answers with whose framework decides itself when, where and how much is traded.

A framework fills orders inside bars by its own rules, and its class decides by what it holds. So the fills are the
decisions here: which trade was opened or closed, at which price, in which bar. `backtest.fill_walk` books them on an
account with the run's own costs. Beside them stands what was ordered at each close, by which a leak of a single bar
shows before anything fills.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from stresslab.core.arrays import BoolArray, FloatArray
from stresslab.core.errors import StrategyError
from stresslab.strategy.panel import Decisions, FillRules, Panel, frozen

SLOTS = 8
"""Fills that one bar may have."""
LANES = 50
"""Trades that may be open at once."""
WITHIN = 1e-6
"""By which, relative to it, a price may lie outside its bar: rounding."""
PARTS = ("lane", "price", "size")
"""What is known of a fill: +(lane + 1) where the trade opens, -(lane + 1) where it closes; the price before slippage;
signed share of the equity (or number of units) that it opens, or share of the trade that it closes."""
ALL = -(LANES + 1)
"""The lane of a fill that closes all trades."""
INIT_CASH: ContextVar[float] = ContextVar("init_cash", default=100_000.0)
"""What the account begins with that the strategy is asked for."""


@dataclass
class Fills:
    """The fills of one series, in the order in which they happen.

    Attributes:
        rows: bars.
        counted: whether sizes are numbers of units, and not shares of the equity.
        ordered: (rows,) a number that stands for what was newly ordered at a close, NaN where nothing was.
        waiting: (rows,) a number that stands for the prices of the orders that wait after a close.
    """

    rows: int
    counted: bool = False
    ordered: FloatArray = field(init=False)
    waiting: FloatArray = field(init=False)
    _fills: dict[int, list[tuple[float, float, float]]] = field(default_factory=dict, init=False)
    _open: set[int] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        """Nothing is ordered yet."""
        self.ordered, self.waiting = np.full(self.rows, np.nan), np.full(self.rows, np.nan)

    def enter(self, row: int, price: float, size: float) -> int:
        """Open a trade: signed share of the equity, or units; returns its lane, which is free again after it closes."""
        lane = next((lane for lane in range(LANES) if lane not in self._open), None)
        if lane is None:
            raise StrategyError(f"more than {LANES} trades are open at once; open fewer")
        self._open.add(lane)
        self._add(row, lane + 1, price, size)
        return lane

    def leave(self, row: int, lane: int, price: float, portion: float = 1.0) -> None:
        """Close a portion of a trade."""
        if portion >= 1.0 - 1e-12:
            self._open.discard(lane)
            portion = 1.0
        self._add(row, -(lane + 1), price, portion)

    def _add(self, row: int, lane: float, price: float, size: float) -> None:
        self._fills.setdefault(row, []).append((lane, price, size))

    def decisions(self, panel: Panel) -> Decisions:
        """The fills as checked arrays.

        Raises:
            StrategyError: a price is none that its bar had.
        """
        arrays = {f"{part}_{slot}": np.full((self.rows, 1), np.nan) for slot in range(SLOTS) for part in PARTS}
        still: set[float] = set()
        for row, given in sorted(self._fills.items()):
            fills, still = _closed_together(given, still)
            if len(fills) > SLOTS:
                raise StrategyError(
                    f"{len(fills)} orders fill within the bar of {panel.timestamps[row]}, and at most {SLOTS} can be "
                    "booked; give shorter bars, or fewer orders"
                )
            for slot, one in enumerate(fills):
                for part, value in zip(PARTS, one, strict=True):
                    arrays[f"{part}_{slot}"][row, 0] = value
        high, low = panel.array("high")[:, 0], panel.array("low")[:, 0]
        for slot in range(SLOTS):
            price = arrays[f"price_{slot}"][:, 0]
            wrong = (price > high * (1 + WITHIN)) | (price < low * (1 - WITHIN))
            if wrong.any():
                row = int(wrong.argmax())
                raise StrategyError(
                    f"an order filled at {price[row]:g} on {panel.timestamps[row]}, where the bar went from "
                    f"{low[row]:g} to {high[row]:g}; fill at prices that there were"
                )
        arrays["counted"] = np.where(_opens(arrays), float(self.counted), np.nan)  # where that says anything
        arrays["ordered"], arrays["waiting"] = self.ordered[:, None], self.waiting[:, None]
        return Decisions(levels={name: frozen(array) for name, array in arrays.items()}, rules=FillRules(SLOTS))


def market_fills(answer: Mapping[str, Fills], panel: Any) -> Decisions:
    """Fills by symbol as decisions of a market of one universe; a symbol that is left out is not traded.

    Args:
        answer: fills of those symbols that are traded.
        panel: the `MarketPanel` that they are of.
    """
    parts = [(answer.get(symbol) or Fills(panel.rows)).decisions(panel[symbol]) for symbol in panel.symbols]
    return replace(Decisions.side_by_side(parts), symbols=panel.symbols)


def _opens(arrays: Mapping[str, FloatArray]) -> BoolArray:
    """The rows in which a trade opens (rows, N)."""
    return np.asarray(np.any([arrays[f"lane_{slot}"] > 0 for slot in range(SLOTS)], axis=0))


def _closed_together(
    fills: list[tuple[float, float, float]], still: set[float]
) -> tuple[list[tuple[float, float, float]], set[float]]:
    """Fills of a bar, those that leave nothing open at one price as one of them; and the lanes that stay open."""
    found: list[tuple[float, float, float]] = []
    still = set(still)
    for lane, price, size in fills:
        if lane > 0:
            still.add(lane)
        elif size >= 1.0:
            still.discard(-lane)
        found.append((lane, price, size))
        if lane < 0 and not still:
            at = len(found)
            while at > 0 and found[at - 1][0] < 0 and found[at - 1][1:] == (price, 1.0):
                at -= 1
            if len(found) - at > 1:
                found[at:] = [(ALL, price, 1.0)]
    return found, still


def postponed_fills(arrays: Mapping[str, FloatArray], first: int, closed: BoolArray) -> dict[str, FloatArray]:
    """Fills that would happen while the market is closed happen at the open of the next bar at which it is not.

    A trade that opens and closes in between never happens.

    Args:
        arrays: (rows, N) as `Decisions` holds them.
        first: the row of the first bar that `closed` speaks of.
        closed: (T, N) where the market is closed.

    Raises:
        StrategyError: more orders wait than one bar may fill.
    """
    found = {name: array.copy() for name, array in arrays.items()}
    for column in np.flatnonzero(closed.any(axis=0)).tolist():
        waiting: list[tuple[float, float, float]] = []
        for bar, shut in enumerate(closed[:, column]):
            row = first + bar
            if not shut and not waiting:
                continue
            own = [one for one in _fills_at(found, row, column) if not np.isnan(one[0])]
            waiting = [*waiting, *((lane, np.nan, size) for lane, _, size in own)] if shut else [*waiting, *own]
            waiting = _without_round_trips(waiting) if shut else waiting
            if len(waiting) > SLOTS:
                raise StrategyError(f"more than {SLOTS} orders wait for the market to open; give longer bars")
            _write(found, row, column, [] if shut else waiting)
            waiting = waiting if shut else []
    return found


def _fills_at(arrays: Mapping[str, FloatArray], row: int, column: int) -> list[tuple[float, float, float]]:
    return [
        (
            float(arrays[f"lane_{slot}"][row, column]),
            float(arrays[f"price_{slot}"][row, column]),
            float(arrays[f"size_{slot}"][row, column]),
        )
        for slot in range(SLOTS)
    ]


def _write(arrays: Mapping[str, FloatArray], row: int, column: int, fills: list[tuple[float, float, float]]) -> None:
    nothing = (np.nan, np.nan, np.nan)
    for slot, one in enumerate([*fills, *[nothing] * (SLOTS - len(fills))]):
        for part, value in zip(PARTS, one, strict=True):
            arrays[f"{part}_{slot}"][row, column] = value


def _without_round_trips(fills: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Waiting fills without trades that would open and wholly close among them."""
    kept: list[tuple[float, float, float]] = []
    for one in fills:
        if one[0] == ALL:
            kept = [one]
            continue
        whole = one[0] < 0 and one[2] >= 1.0
        begun = next((at for at, other in enumerate(kept) if whole and other[0] == -one[0]), None)
        if begun is None:
            kept.append(one)
        else:
            kept = kept[:begun] + [other for other in kept[begun:] if abs(other[0]) != -one[0]]
    return kept
