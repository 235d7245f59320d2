"""Orders with prices: what a strategy answers that enters by limit or stop, and leaves at levels of its own.

`panel` reads plain signals and weights; `backtest.order_walk` says how such orders fill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from stresslab.core.arrays import BoolArray, FloatArray
from stresslab.core.errors import StrategyError
from stresslab.core.text import did_you_mean
from stresslab.strategy.panel import SIDES, Decisions, OrderRules, Panel, booleans, first_stamp, frozen, weights

MOST_ENTRIES = 50
"""Entries in one direction that may be open at once, at most."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Orders:
    """Entries with a price, a lifetime, a size, and levels at which their trade leaves; exits in whole or in part.

    Frames have the shape of `bars.close`, (W + T, N). What is decided at the close of a row is an order from the next
    open on. A level is read in the row of its entry (`exit_size` in that of its exit); it may be a number for all, a
    pair for the long and the short side, and NaN where there is none. At most one entry order of a side waits: a new
    one takes its place, and an exit of that side cancels it. An account begins flat, whatever the warm-up decided. A
    dict with these names does as well, so that a strategy need not import anything.

    Example:
        >>> def signals(bars, days=20):
        ...     high, low = bars.high.rolling(days).max(), bars.low.rolling(days).min()
        ...     calm = high < 1.1 * low
        ...     return sl.Orders(long_entries=calm, stop=high, lifetime=1, stop_loss=low, exit_after=10)

    Attributes:
        long_entries: where to go long.
        long_exits: where to leave a long position.
        short_entries: where to go short.
        short_exits: where to cover.
        limit: the price of an entry at most (short: at least); NaN or none fills at the next open.
        stop: the price from which an entry fills, above the market (short: below); not beside a limit.
        lifetime: whole bars for which an entry waits; until it is replaced or cancelled by default.
        size: share of the equity that an entry opens.
        units: number of units that an entry opens, in place of a share.
        stop_loss: price at which its trade leaves at a loss.
        take_profit: price at which its trade leaves at a gain.
        trailing_stop: fraction below the highest price since entry (short: above the lowest) at which its trade leaves.
        exit_after: whole bars that its trade is held at most; it then leaves at the next open.
        exit_size: share of the position that an exit closes.
        entries: trades in one direction that may be open at once; above 1, an entry adds to the position.
        one_cancels_other: whether the fill of an entry cancels the waiting entry of the other side.
    """

    long_entries: Any = None
    long_exits: Any = None
    short_entries: Any = None
    short_exits: Any = None
    limit: Any = None
    stop: Any = None
    lifetime: Any = None
    size: Any = 1.0
    units: Any = None
    stop_loss: Any = None
    take_profit: Any = None
    trailing_stop: Any = None
    exit_after: Any = None
    exit_size: Any = 1.0
    entries: int = 1
    one_cancels_other: bool = True

    def decisions(self, panel: Panel) -> Decisions:
        """The orders as checked arrays.

        Raises:
            StrategyError: a frame has another shape, or a value cannot be meant.
        """
        if all(getattr(self, side) is None for side in SIDES):
            raise StrategyError("Orders has no entries and no exits; give long_entries or short_entries")
        if self.units is not None and not (isinstance(self.size, (int, float)) and self.size == 1.0):
            raise StrategyError("Orders has both size and units; give one of them")
        never = frozen(np.zeros(panel.shape, dtype=np.bool_))
        flags: dict[str, Any] = {
            side: never if (frame := getattr(self, side)) is None else booleans(side, frame, panel) for side in SIDES
        }
        levels, given = {}, {name: getattr(self, name) for name in LEVELS}
        for_all = self.lifetime is None or np.isscalar(self.lifetime)
        given["lifetime"] = None if for_all else self.lifetime
        for at, side in enumerate(("long", "short")):
            for name in LEVELS:
                where = flags[f"{side}_exits" if name == "exit_size" else f"{side}_entries"]
                levels[f"{side}_{name}"] = _level(name, given[name], at, panel, where)
            _check_prices(levels, side, panel)
        rules = OrderRules(
            0 if self.lifetime is None or not for_all else _whole("lifetime", self.lifetime, 1_000_000),
            _whole("entries", self.entries, MOST_ENTRIES),
            bool(self.one_cancels_other),
        )
        return Decisions(**flags, levels=levels, rules=rules)


def as_orders(answer: Any) -> Orders | None:
    """The orders that a strategy answers with, as such or as a dict of their arguments; None where it does not.

    Raises:
        StrategyError: the dict has a key that is none of them.
    """
    if isinstance(answer, Orders) or not isinstance(answer, Mapping):
        return answer if isinstance(answer, Orders) else None
    known = [one.name for one in fields(Orders)]
    for name in answer:
        if name not in known:
            raise StrategyError(f"a dict of orders has the key {name!r}{did_you_mean(str(name), known)}")
    return Orders(**answer)


LEVELS = (
    "limit", "stop", "size", "units", "stop_loss", "take_profit", "trailing_stop", "exit_after", "exit_size",
    "lifetime",
)  # fmt: skip
MOST = {"size": 1000.0, "exit_size": 1.0, "trailing_stop": 1.0}
"""Fractions, and what they are at most; all else is above 0."""
WHOLE = ("lifetime", "exit_after")
"""Numbers of bars."""


def _level(name: str, given: Any, side: int, panel: Panel, where: BoolArray) -> FloatArray:
    """Numbers (rows, N) of the long (0) or short (1) side in the rows where they are read, NaN elsewhere."""
    if isinstance(given, (tuple, list)) and len(given) == 2:
        given = given[side]
    if given is None:
        return frozen(np.full(panel.shape, np.nan))
    if isinstance(given, (int, float, np.number)) and not isinstance(given, bool):
        values: FloatArray = np.full(panel.shape, float(given))
    else:
        values = weights(given, panel, name)
    values = np.where(where, values, np.nan)
    wrong = (values <= 0) | (values > MOST.get(name, np.inf))
    if name == "lifetime":
        wrong |= values % 1 > 0
    if wrong.any():
        rule = level_rule(name)
        raise StrategyError(
            f"Orders has {name}={values[wrong][0]:g} for an order of {first_stamp(wrong, panel)}, which is not {rule}; "
            "give NaN where there is none"
        )
    return frozen(values)


def level_rule(name: str) -> str:
    """What a level must be, in words."""
    if name in MOST:
        return f"in (0, {MOST[name]:g}]"
    return "a whole number of bars, 1 or more" if name in WHOLE else "above 0"


def _check_prices(levels: dict[str, FloatArray], side: str, panel: Panel) -> None:
    """Refuse an entry that has a limit and a stop, or a level on the wrong side of the price that it names."""
    limit, stop = levels[f"{side}_limit"], levels[f"{side}_stop"]
    both = ~np.isnan(limit) & ~np.isnan(stop)
    if both.any():
        raise StrategyError(
            f"Orders has a limit and a stop for one entry at {first_stamp(both, panel)}; give one of them: a stop "
            "order that turns into a limit order is not filled here"
        )
    price, sign = np.where(np.isnan(limit), stop, limit), 1.0 if side == "long" else -1.0
    for name, way in (("stop_loss", sign), ("take_profit", -sign)):
        wrong = way * levels[f"{side}_{name}"] >= way * price
        if wrong.any():
            row, column = (int(index) for index in np.argwhere(wrong)[0])
            raise StrategyError(
                f"Orders has {name}={levels[f'{side}_{name}'][row, column]:g} for a {side} entry at "
                f"{price[row, column]:g} ({first_stamp(wrong, panel)}), which would leave at once; it lies "
                f"{'below' if way > 0 else 'above'} the entry"
            )


def _whole(name: str, value: Any, most: int) -> int:
    """A whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 1 <= value <= most:
        raise StrategyError(f"Orders({name}={value!r}) is not a whole number in [1, {most:,}]")
    return int(value)
