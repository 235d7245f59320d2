"""A `Strategy` class of backtesting.py, where the user has that package, as a function from one series to weights.

Its own broker decides what is held; here that is read off at each close, orders that fill at the next open included,
and traded by `stresslab.backtest` on the run's terms. backtesting.py is AGPL and no dependency: nothing here imports it
unless the user's class has.

Sizes that are shares of the equity are read off an account so large that whole units do not matter. A class that orders
numbers of units which do not grow with the account is run on the run's own cash, and what it holds is a number of units
here too. How its author runs it is declared
below the class: `BACKTEST = dict(exclusive_orders=True)`. What cannot be the same here is refused by name.
"""

from __future__ import annotations

import importlib
import inspect
import io
import warnings
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from contextvars import ContextVar
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.text import did_you_mean
from stresslab.strategy.panel import Holdings

CASH = 1e12
"""So much that whole units, which is what its broker trades, do not matter."""
SAME_SHARE = 0.01
"""Relative difference within which shares of the equity on two accounts are the same; whole units make a small one."""
INIT_CASH: ContextVar[float] = ContextVar("init_cash", default=100_000.0)
"""What the account begins with that the strategy is asked for."""
DECLARATION = "BACKTEST"
"""The name of a file's (or a class's) settings of `Backtest`."""
_KEPT = ("exclusive_orders", "hedging")
_OURS = {
    "cash": "`init_cash`",
    "commission": "`fees`, `fixed_fee`",
    "spread": "`slippage`",
    "margin": "`max_leverage`",
    "trade_on_close": "the next open, where all orders fill",
    "finalize_trades": "the last close, where all positions end",
}
_COLUMNS = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}


def is_theirs(thing: Any) -> bool:
    """Whether this is a class that extends backtesting.py's `Strategy`."""
    return inspect.isclass(thing) and any(
        base.__name__ == "Strategy" and base.__module__.partition(".")[0] == "backtesting" for base in thing.__mro__[1:]
    )


def settings_of(theirs: Any, module: Any = None) -> dict[str, bool] | None:
    """What `BACKTEST` of the class, or of its file, declares; None where there is none.

    Raises:
        ValueError: a setting is none of `Backtest`, or the run decides it here.
    """
    given = getattr(theirs, DECLARATION, None) or getattr(module, DECLARATION, None)
    if given is None:
        return None
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


def adapted(theirs: Any, module: Any = None) -> Callable[..., Any]:
    """The function `weights(bars, **parameters)` that such a class stands for; its class variables are parameters.

    It answers with `Holdings`: shares of the equity, or numbers of units where the class orders those and they are not
    the same shares on an account twice as large.

    Args:
        theirs: the class.
        module: the file that it stands in, where it is one.
    """
    base = next(one for one in theirs.__mro__ if one.__module__.partition(".")[0] == "backtesting")
    own = {name: getattr(theirs, name) for name in dir(theirs) if name[0] != "_" and not hasattr(base, name)}
    kinds = {name: value for name, value in own.items() if name not in (DECLARATION, "PARAMETERS")}
    values = {name: value for name, value in kinds.items() if not callable(value) and not isinstance(value, property)}
    settings = settings_of(theirs, module)

    def weights(bars: Any, **parameters: Any) -> Any:
        if not isinstance(bars, pd.DataFrame):
            raise TypeError("a Strategy of backtesting.py takes one series")
        frame = bars.rename(columns=_COLUMNS)[list(_COLUMNS.values())]

        def run(cash: float) -> _Watch:
            watch = _Watch(theirs, frame, settings)
            watch.run(cash, parameters)
            return watch

        large = run(CASH)
        if not large.units_ordered or np.allclose(
            large.targets, run(2 * CASH).targets, rtol=SAME_SHARE, atol=0.0, equal_nan=True
        ):
            return Holdings(large.targets, large.targets * np.nan)
        own = run(INIT_CASH.get())  # numbers of units mean something on the account's own cash alone
        return Holdings(own.targets * np.nan, own.units)

    keyword, positional = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    listed = [inspect.Parameter(name, keyword, default=value) for name, value in values.items()]
    shown = inspect.Signature([inspect.Parameter("bars", positional), *listed])
    weights.__signature__ = shown  # type: ignore[attr-defined] # the parameters that may be set
    weights.__name__ = theirs.__name__
    weights.takes = "series"  # type: ignore[attr-defined] # read by `detect_style`
    return weights


class _Watch:
    """A class on one series, and at each bar the share of its equity that it holds after the next open.

    Attributes:
        targets: (T,) shares, NaN where nothing changes.
        units: (T,) the same as numbers of units.
        units_ordered: whether it ordered a number of units.
    """

    def __init__(self, theirs: Any, frame: pd.DataFrame, settings: Mapping[str, bool] | None) -> None:
        self.theirs, self.frame, self.settings = theirs, frame, settings
        self.targets, self.units = (pd.Series(np.nan, index=frame.index) for _ in range(2))
        self.units_ordered = False
        self._held, self._ordered = 0.0, False  # units after the last bar's orders, and whether there were any
        self._seen: set[int] = set()

    def run(self, cash: float, parameters: Mapping[str, Any]) -> None:
        """Run it on an account with so much cash."""
        watch = self

        def follow(strategy: Any) -> None:
            if not watch._late(strategy):
                watch.theirs.next(strategy)
                watch._read(strategy)

        watched = type(self.theirs.__name__, (self.theirs,), {"next": follow})
        engine = importlib.import_module("backtesting").Backtest
        how = dict(self.settings or {})
        with redirect_stderr(io.StringIO()), warnings.catch_warnings():  # a progress bar, and trades that stay open
            warnings.simplefilter("ignore")
            engine(self.frame, watched, cash=cash, finalize_trades=False, **how).run(**parameters)

    def _late(self, strategy: Any) -> bool:
        """Whether an indicator has no value in any bar: until it has one, backtesting.py does not begin either."""
        return any(
            np.isnan(np.atleast_2d(np.asarray(one, dtype=float))).all(axis=-1).any()
            for one in getattr(strategy, "_indicators", ())
            if not getattr(one, "_opts", {}).get("scatter")
        )

    def _read(self, strategy: Any) -> None:
        price, equity = float(strategy.data.Close[-1]), float(strategy.equity)
        units = now = float(strategy.position.size)
        if self._ordered and np.sign(now) == np.sign(self._held):
            self._held = now  # a share of the equity became units at the open's price
        self._check(strategy, now)
        for order in strategy.orders:
            if order.is_contingent:
                continue
            free = max(0.0, equity - abs(units) * price)
            self.units_ordered |= abs(order.size) >= 1 and order.parent_trade is None
            units += order.size if abs(order.size) >= 1 else np.trunc(order.size * free / price)
        if units != now or now != self._held:
            self.targets.iloc[len(strategy.data) - 1] = units * price / equity
            self.units.iloc[len(strategy.data) - 1] = units
        self._held, self._ordered = units, units != now

    def _check(self, strategy: Any, now: float) -> None:
        """Refuse orders that would not be the same here, and flips that only net."""
        for order in strategy.orders:
            if order.limit or order.stop or order.sl or order.tp or order.is_contingent:
                what = next(
                    name for name in ("sl", "tp", "limit", "stop") if getattr(order, name) or order.is_contingent
                )
                raise ValueError(
                    f"{self.theirs.__name__} gives an order {what}=, which backtesting.py fills inside the bar; here "
                    "orders of such a class fill at the next open: leave it out and use `stop_loss`, `take_profit` "
                    "or `trailing_stop`"
                )
        closing = any(order.parent_trade is not None for order in strategy.orders)
        against = any(order.size * now < 0 and order.parent_trade is None for order in strategy.orders)
        if against and not closing and self.settings is None:
            raise ValueError(
                f"{self.theirs.__name__} orders against its open position without closing it: by default such an order "
                "only takes from the position or waits for margin; below the class write BACKTEST = "
                "dict(exclusive_orders=True) if that is how you run it, dict(exclusive_orders=False) if not"
            )
