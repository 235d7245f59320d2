"""A `Strategy` class of backtesting.py, where the user has that package, as a function from one series to fills.

Its own broker decides what fills, when and where: market orders at the next open, limits, stops, `sl` and `tp` inside
the bar by its rules, whole or in part. `backtest.fill_walk` books these fills with the run's costs. backtesting.py is
AGPL and no dependency: nothing here imports it unless the user's class has.

Sizes that are shares of the equity are read off an account so large that whole units do not matter. A class that orders
numbers of units which do not grow with the account is run on the run's own cash, and what it holds is a number of units
here too. How its author runs it is read from the call of `Backtest` in its file, or declared below the class:
`BACKTEST = dict(exclusive_orders=True)`. What cannot be the same here is refused by name.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import math
import warnings
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, suppress
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.text import did_you_mean
from stresslab.strategy.fills import Fills
from stresslab.strategy.frameworks.accounts import Event, Traded, as_series_function, shares_or_units, with_equity

DECLARATION = "BACKTEST"
"""The name of a file's (or a class's) settings of `Backtest`."""
_KEPT = ("exclusive_orders", "hedging")
_OURS = {
    "cash": "`init_cash`",
    "commission": "`fees`, `fixed_fee`",
    "spread": "`slippage`",
    "margin": "`max_leverage`",
    "trade_on_close": "the next open, where market orders fill",
    "finalize_trades": "the last close, where all positions end",
}
_CHANGES = ("trade_on_close", "margin")
"""Settings of the run's that make another strategy, so that a call of `Backtest` with them is not passed over."""
_COLUMNS = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}


class _Done(Exception):  # no error
    """The last bar is over: its statistics are not needed."""


def is_theirs(thing: Any) -> bool:
    """Whether this is a class that extends backtesting.py's `Strategy`."""
    return (
        inspect.isclass(thing)
        and not thing.__module__.startswith("backtesting.")
        and any(
            base.__name__ == "Strategy" and base.__module__.partition(".")[0] == "backtesting"
            for base in thing.__mro__[1:]
        )
    )


def settings_of(theirs: Any, module: Any = None) -> dict[str, bool] | None:
    """How the author runs a class: what `BACKTEST` declares, else the call of `Backtest` in its file; None without.

    Raises:
        ValueError: a setting is none of `Backtest`, or the run decides it here.
    """
    given = getattr(theirs, DECLARATION, None) or getattr(module, DECLARATION, None)
    if given is None:
        return _called_settings(theirs, module)
    if not isinstance(given, Mapping):
        raise ValueError(
            f"{DECLARATION} is a {type(given).__name__}; write {DECLARATION} = dict(exclusive_orders=True)"
        )
    for name in given:
        if name in _OURS and given[name]:
            raise ValueError(f"{DECLARATION} sets {name}={given[name]!r}, which the run decides: {_OURS[name]}")
        if name not in _KEPT and name not in _OURS:
            raise ValueError(f"{DECLARATION} sets {name!r}, which is not a setting{did_you_mean(str(name), _KEPT)}")
    return {name: bool(given[name]) for name in _KEPT if name in given}


def _called_settings(theirs: Any, module: Any) -> dict[str, bool] | None:
    """The settings of the one call of `Backtest` in a class's file, without running it; None where there is none.

    Raises:
        ValueError: it is run in a way that is another strategy here.
    """
    try:
        tree = ast.parse(inspect.getsource(module or importlib.import_module(theirs.__module__)))
    except (OSError, TypeError, SyntaxError, ImportError, ValueError):
        return None
    calls = [
        {one.arg: one.value.value for one in node.keywords if one.arg and isinstance(one.value, ast.Constant)}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Backtest"
        if any(getattr(one, "id", "") == theirs.__name__ for one in [*node.args, *(key.value for key in node.keywords)])
    ]
    for name in _CHANGES:
        value = next((one[name] for one in calls if one.get(name)), None)
        if value and not (name == "margin" and value == 1):
            raise ValueError(
                f"{theirs.__name__} is run by Backtest({name}={value!r}), and here the run decides that: "
                f"{_OURS[name]}; to test it so, write {DECLARATION} = dict(exclusive_orders=...) below the class"
            )
    found = [{name: bool(one.get(name, False)) for name in _KEPT} for one in calls]
    return found[0] if found and all(one == found[0] for one in found) else None


def adapted(theirs: Any, module: Any = None) -> Callable[..., Any]:
    """The function `fills(bars, **parameters)` that such a class stands for; its class variables are parameters.

    Beside them, `exclusive_orders` and `hedging` may be given. It answers with `Fills`: shares of the equity, or
    numbers of units where the class orders those and they are not the same shares on an account twice as large.

    Args:
        theirs: the class.
        module: the file that it stands in, where it is one.
    """
    base = next(one for one in theirs.__mro__ if one.__module__.partition(".")[0] == "backtesting" and
                one.__name__ == "Strategy")  # fmt: skip
    own = {name: getattr(theirs, name) for name in dir(theirs) if name[0] != "_" and not hasattr(base, name)}
    kinds = {name: value for name, value in own.items() if name not in (DECLARATION, "PARAMETERS")}
    values = {name: value for name, value in kinds.items() if not callable(value) and not isinstance(value, property)}
    declared = settings_of(theirs, module)

    def fills(bars: Any, **parameters: Any) -> Fills:
        frame = bars.rename(columns=_COLUMNS)[list(_COLUMNS.values())]
        chosen = {name: parameters.pop(name, None) for name in _KEPT if name not in values}
        flags = {name: bool(value) for name, value in chosen.items() if value is not None}
        settings = {**(declared or {}), **flags} if declared is not None or flags else None
        return shares_or_units(lambda cash: _Watch(theirs, frame, settings).run(cash, parameters))

    return as_series_function(fills, theirs.__name__, values, [name for name in _KEPT if name not in values])


class _Watch:
    """A class on one series: the trades of its broker, and what it orders at each close.

    Attributes:
        units_ordered: whether it ordered a number of units.
    """

    def __init__(self, theirs: Any, frame: pd.DataFrame, settings: Mapping[str, bool] | None) -> None:
        self.theirs, self.frame, self.settings = theirs, frame, settings
        self.units_ordered = False
        self._strategy: Any = None
        self._cash, self._late = 0.0, False
        self._ordered, self._waiting = (np.full(len(frame), np.nan) for _ in range(2))
        self._known: set[int] = set()
        self._orders: list[Any] = []

    def run(self, cash: float, parameters: Mapping[str, Any]) -> Traded:
        """Run it on an account with so much cash."""
        watch, self._cash = self, cash

        def follow(strategy: Any) -> None:
            if watch._strategy is None:
                watch._strategy, watch._late = strategy, watch._never_begins(strategy)
            if not watch._late:
                watch.theirs.next(strategy)
                watch._read(strategy)
            if len(strategy.data) == len(watch.frame):
                raise _Done

        watched = type(self.theirs.__name__, (self.theirs,), {"next": follow})
        engine = importlib.import_module("backtesting").Backtest
        how = dict(self.settings or {})
        with redirect_stderr(io.StringIO()), warnings.catch_warnings():  # a progress bar, and trades that stay open
            warnings.simplefilter("ignore")
            with suppress(_Done):
                engine(self.frame, watched, cash=cash, finalize_trades=False, **how).run(**parameters)
        return Traded(self._events(), self._ordered, self._waiting, self.units_ordered)

    def _never_begins(self, strategy: Any) -> bool:
        """Whether an indicator has no value in any bar: until it has one, backtesting.py does not begin either."""
        return any(
            np.isnan(np.atleast_2d(np.asarray(one, dtype=float))).all(axis=-1).any()
            for one in getattr(strategy, "_indicators", ())
            if not getattr(one, "_opts", {}).get("scatter")
        )

    def _read(self, strategy: Any) -> None:
        """What it newly ordered at a close, and what waits."""
        row, price, equity = len(strategy.data) - 1, float(strategy.data.Close[-1]), float(strategy.equity)
        orders = strategy.orders
        self._refuse_netting(strategy, orders)
        fresh = [one for one in orders if not one.is_contingent and id(one) not in self._known]
        self._orders, self._known = list(orders), {id(one) for one in orders}  # kept: an id is of a living object
        for order in fresh:
            self.units_ordered |= abs(order.size) >= 1 and order.parent_trade is None
        if fresh:
            self._ordered[row] = sum(one.size if abs(one.size) < 1 else one.size * price / equity for one in fresh)
        prices = [one for order in orders for one in (order.limit, order.stop, order.sl, order.tp) if one]
        if prices:
            self._waiting[row] = sum(prices)

    def _refuse_netting(self, strategy: Any, orders: Any) -> None:
        """Refuse flips that only net, where nobody says that they shall."""
        if self.settings is not None or not orders:
            return
        now = float(strategy.position.size)
        closing = any(order.parent_trade is not None and not order.is_contingent for order in orders)
        against = any(order.size * now < 0 and order.parent_trade is None for order in orders)
        if against and not closing:
            raise ValueError(
                f"{self.theirs.__name__} orders against its open position without closing it: by default such an order "
                "only takes from the position or waits for margin; below the class write BACKTEST = "
                "dict(exclusive_orders=True) if that is how you run it, dict(exclusive_orders=False) if not"
            )

    def _events(self) -> list[Event]:
        """All fills in their order.

        Parts of one trade that close apart are trades of their own for its broker; here they share bar and price of
        their entry.
        """
        if self._strategy is None:
            return []
        opened = self.frame["Open"].to_numpy()
        units: dict[Any, float] = {}
        found = []
        for one in [*self._strategy.closed_trades, *self._strategy.trades]:
            trade = one.entry_bar, one.entry_price, math.copysign(1.0, one.size)
            units[trade] = units.get(trade, 0.0) + one.size
            if one.exit_bar is not None:
                late, begun = one.exit_price != opened[one.exit_bar], False
                if one.exit_bar == one.entry_bar:  # also where its broker's order of orders is not that of the prices
                    inside = one.entry_price != opened[one.entry_bar]
                    late, begun = late or inside, late <= inside
                found.append(((one.exit_bar, late, 2 if begun else 0), trade, one.exit_price, -one.size))
        for trade, size in units.items():
            found.append(((trade[0], trade[1] != opened[trade[0]], 1), trade, trade[1], size))
        ordered = sorted(found, key=lambda one: one[0])
        return with_equity([(bar, trade, price, size) for (bar, *_), trade, price, size in ordered], self._cash)
