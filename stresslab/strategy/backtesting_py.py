"""A `Strategy` class of backtesting.py, where the user has that package, as a function from one series to weights.

Its own broker decides what is held; here that is read off at each close, orders that fill at the next open included,
and traded by `stresslab.backtest` on the run's terms. backtesting.py is AGPL and no dependency: nothing here imports it
unless the user's class has. A stop or limit order that its broker fills inside a bar is filled at the open after it.
"""

from __future__ import annotations

import importlib
import inspect
import io
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any

import numpy as np
import pandas as pd

CASH = 1e12
"""So much that whole units, which is what its broker trades, do not matter."""
_COLUMNS = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}


def is_theirs(thing: Any) -> bool:
    """Whether this is a class that extends backtesting.py's `Strategy`."""
    return inspect.isclass(thing) and any(
        base.__name__ == "Strategy" and base.__module__.partition(".")[0] == "backtesting" for base in thing.__mro__[1:]
    )


def adapted(theirs: Any) -> Callable[..., Any]:
    """The function `weights(bars, **parameters)` that such a class stands for; its class variables are parameters."""
    base = next(one for one in theirs.__mro__ if one.__module__.partition(".")[0] == "backtesting")
    own = {name: getattr(theirs, name) for name in dir(theirs) if name[0] != "_" and not hasattr(base, name)}
    values = {name: value for name, value in own.items() if not callable(value) and not isinstance(value, property)}

    def weights(bars: Any, **parameters: Any) -> Any:
        if not isinstance(bars, pd.DataFrame):
            raise TypeError("a Strategy of backtesting.py takes one series")
        frame = bars.rename(columns=_COLUMNS)[list(_COLUMNS.values())]
        watched, targets = _watched(theirs, frame)
        engine = importlib.import_module("backtesting").Backtest
        with redirect_stderr(io.StringIO()), warnings.catch_warnings():  # a progress bar, and trades that stay open
            warnings.simplefilter("ignore")
            engine(frame, watched, cash=CASH, finalize_trades=False).run(**parameters)
        return targets

    keyword, positional = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    listed = [inspect.Parameter(name, keyword, default=value) for name, value in values.items()]
    weights.__signature__ = inspect.Signature([inspect.Parameter("bars", positional), *listed])  # type: ignore[attr-defined]
    weights.__name__ = theirs.__name__
    return weights


def _watched(theirs: Any, frame: pd.DataFrame) -> tuple[Any, pd.Series[float]]:
    """The class, noting at each bar the share of its equity that it holds after the next open, where that changes."""
    targets = pd.Series(np.nan, index=frame.index)
    held, ordered = 0.0, False  # units after the last bar's orders, and whether there were any

    def follow(strategy: Any) -> None:
        nonlocal held, ordered
        theirs.next(strategy)
        price, equity = float(strategy.data.Close[-1]), float(strategy.equity)
        units = now = float(strategy.position.size)
        if ordered and np.sign(now) == np.sign(held):
            held = now  # a share of the equity became units at the open's price
        for order in strategy.orders:
            if order.limit or order.stop or order.is_contingent:
                continue
            free = max(0.0, equity - abs(units) * price)
            units += order.size if abs(order.size) >= 1 else np.trunc(order.size * free / price)
        if units != now or now != held:
            targets.iloc[len(strategy.data) - 1] = units * price / equity
        held, ordered = units, units != now

    return type(theirs.__name__, (theirs,), {"next": follow}), targets
