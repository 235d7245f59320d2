"""What a framework's own account traded becomes fills: shares of the equity, or numbers of units where those are meant.

Frameworks trade units. On an account so large that whole units do not matter their shares of the equity are read; what
is not the same share on an account twice as large is an order for a number of units, and runs on the run's own cash.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from stresslab.core.arrays import FloatArray
from stresslab.strategy.fills import INIT_CASH, Fills

CASH = 1e12
"""So much that whole units do not matter."""
SAME_SHARE = 0.01
"""Relative difference within which shares of the equity on two accounts are the same; whole units make a small one."""


class Event(NamedTuple):
    """One fill of a framework's account.

    Attributes:
        bar: number of its row.
        trade: of the fills of one trade; the first opens it.
        price: of the fill.
        units: signed; those that close have the other sign than those that opened.
        equity: before it.
    """

    bar: int
    trade: Hashable
    price: float
    units: float
    equity: float


@dataclass
class Traded:
    """What a class traded on an account that began with some cash.

    Attributes:
        events: its fills, in their order.
        ordered: (rows,) a number that stands for what was newly ordered at a close, NaN where nothing was.
        waiting: (rows,) a number that stands for the prices of orders that wait after a close.
        counts: whether it ordered numbers of units.
        refused: whether orders were refused for want of cash, which on other accounts others are.
    """

    events: list[Event]
    ordered: FloatArray
    waiting: FloatArray
    counts: bool = True
    refused: bool = False
    shares: list[tuple[float, float, float]] = field(init=False)

    def __post_init__(self) -> None:
        """Bar, price and share of the equity of each fill."""
        self.shares = [
            (one.bar, one.price, one.units * one.price / one.equity) for one in self.events if one.equity > 0
        ]

    def same_shares(self, other: Traded) -> bool:
        """Whether another account traded the same shares of its equity at the same prices."""
        return len(self.shares) == len(other.shares) and np.allclose(
            np.reshape(self.shares, (-1, 3)), np.reshape(other.shares, (-1, 3)), rtol=SAME_SHARE, atol=0.0
        )

    def fills(self, *, counted: bool) -> Fills:
        """The fills; counted: as numbers of units."""
        fills = Fills(len(self.ordered), counted)
        lanes: dict[Hashable, tuple[int, float]] = {}
        for bar, trade, price, units, equity in self.events:
            if equity <= 0:
                break
            if trade not in lanes:
                lanes[trade] = fills.enter(bar, price, units if counted else units * price / equity), units
                continue
            lane, left = lanes[trade]
            fills.leave(bar, lane, price, -units / left)
            lanes[trade] = lane, left + units
        fills.ordered[:], fills.waiting[:] = self.ordered, self.waiting
        return fills


def shares_or_units(run: Callable[[float], Traded]) -> Fills:
    """The fills of a class, given what it trades on an account with so much cash.

    Units mean something on the account's own cash alone, and so does which orders it cannot pay for.
    """
    large = run(CASH)
    counted = large.counts and not large.same_shares(run(2 * CASH))
    if not (counted or large.refused):
        return large.fills(counted=False)
    return replace(run(INIT_CASH.get()), ordered=large.ordered, waiting=large.waiting).fills(counted=counted)


def with_equity(fills: Iterable[tuple[int, Hashable, float, float]], cash: float) -> list[Event]:
    """Fills (bar, trade, price, units) in their order, each with the equity before it."""
    events, held = [], 0.0
    for bar, trade, price, units in fills:
        events.append(Event(bar, trade, price, units, cash + held * price))
        cash, held = cash - units * price, held + units
    return events


def as_series_function(
    function: Callable[..., Fills], name: str, defaults: Mapping[str, Any], flags: Iterable[str] = ()
) -> Callable[..., Fills]:
    """A function of one series under the name and with the parameters of a class; `flags` are unset booleans."""
    keyword, positional = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    listed = [inspect.Parameter(one, keyword, default=value) for one, value in defaults.items()]
    listed += [inspect.Parameter(one, keyword, default=None, annotation=bool) for one in flags]
    shown = inspect.Signature([inspect.Parameter("bars", positional), *listed])
    function.__signature__ = shown  # type: ignore[attr-defined] # the parameters that may be set
    function.__name__ = name
    function.takes = "series"  # type: ignore[attr-defined] # read by `detect_style`
    return function
