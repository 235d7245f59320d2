"""A `Strategy` class of backtrader, where the user has that package, as a function from one series to fills.

Its own broker fills: market orders at the next open, limits, stops and brackets inside the bar by its rules. The sizer
is read from the call of `addsizer` in the class's file, or declared below it: `SIZER = dict(percents=95)`,
`dict(stake=10)` or, of a class of the file, `dict(sizer="Own", perc=0.2)`; without one backtrader buys one unit.
backtrader is GPL and no dependency: nothing here imports it unless the user's class has.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from stresslab.core.errors import StrategyError
from stresslab.strategy.fills import Fills
from stresslab.strategy.frameworks.accounts import Traded, as_series_function, shares_or_units, with_equity
from stresslab.strategy.sandbox import FrameworkWarning

DECLARATION = "SIZER"
"""The name of a file's (or a class's) sizer."""
_DECLARE = f"write {DECLARATION} = dict(percents=95) or dict(stake=10) below the class"
_SIZERS = {"stake": "FixedSize", "percents": "PercentSizer"}
_REFUSED = {
    "set_coc": "orders fill at the next open", "set_coo": "orders fill at the next open",
    "add_signal": "signals are those that the class adds in its __init__, by self.signal_add",
}  # fmt: skip
_MARKET = 0


class Sizer(NamedTuple):
    """How large orders are that do not say it.

    Attributes:
        name: of backtrader's class, or of one of the file.
        values: its numbers.
        unsure: whether the file gives it more of them, which are known only when it is run.
    """

    name: str
    values: Mapping[str, Any]
    unsure: bool = False


def is_theirs(thing: Any) -> bool:
    """Whether this is a class that extends backtrader's `Strategy`."""
    return (
        inspect.isclass(thing)
        and not thing.__module__.startswith("backtrader.")
        and any(
            base.__name__ == "Strategy" and base.__module__.partition(".")[0] == "backtrader"
            for base in thing.__mro__[1:]
        )
    )


def adapted(theirs: Any, module: Any = None) -> Callable[..., Fills]:
    """The function `fills(bars, **params)` that such a class stands for; its `params` are parameters.

    Args:
        theirs: the class.
        module: the file that it stands in.

    Raises:
        ValueError: its file runs it in a way that is another strategy here.
    """
    given = dict(theirs.params._getitems())
    defaults = {name: value for name, value in given.items() if isinstance(value, int | float | str)}
    sizer = _sizer(theirs, module)

    def fills(bars: Any, **parameters: Any) -> Fills:
        frame = bars[["open", "high", "low", "close", "volume"]]
        if sizer is None:
            warnings.warn(
                f"{theirs.__name__} has no sizer, so that backtrader buys one unit at a time where no size is given; "
                f"write {DECLARATION} = dict(percents=95) below the class to invest the account",
                FrameworkWarning,
                stacklevel=2,
            )
        if sizer is not None and sizer.unsure:
            warnings.warn(
                f"the sizer {sizer.name} of {theirs.__name__} is given numbers that are known only when the file is "
                f"run, and has its own here; {_DECLARE}",
                FrameworkWarning,
                stacklevel=2,
            )
        return shares_or_units(lambda cash: _traded(theirs, frame, parameters, sizer, cash))

    return as_series_function(fills, theirs.__name__, defaults)


def _sizer(theirs: Any, module: Any) -> Sizer | None:
    """The sizer that is declared, or that the file adds; None without."""
    given = getattr(theirs, DECLARATION, None) or getattr(module, DECLARATION, None)
    if given is not None:
        own = dict(given) if isinstance(given, Mapping) else {}
        name = own.pop("sizer", None) or next((_SIZERS[one] for one in own if one in _SIZERS), None)
        if name is None:
            raise ValueError(f"{DECLARATION}={given!r:.60} is no sizer; {_DECLARE}")
        return Sizer(str(name), own)
    try:
        tree = ast.parse(inspect.getsource(module or importlib.import_module(theirs.__module__)))
    except (OSError, TypeError, SyntaxError, ImportError, ValueError):
        return None
    found: dict[str, Sizer] = {}
    for node in ast.walk(tree):
        second = isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "datas"
        second = second and getattr(getattr(node, "slice", None), "value", 0) not in (0, None)
        if second or getattr(node, "attr", "") in ("data1", "data1_close"):
            raise ValueError(
                f"{theirs.__name__} reads a second data feed, and universes have one; write a function of market"
            )
        name = getattr(getattr(node, "func", None), "attr", "") if isinstance(node, ast.Call) else ""
        if name in _REFUSED:
            raise ValueError(f"{theirs.__name__} is run with {name}, and here {_REFUSED[name]}; leave that call out")
        if name == "addsizer" and isinstance(node, ast.Call) and node.args:
            called = str(getattr(node.args[0], "attr", getattr(node.args[0], "id", "")))
            open_ = [one.arg for one in node.keywords if one.arg and not isinstance(one.value, ast.Constant)]
            if open_:
                raise ValueError(
                    f"{theirs.__name__}: how large {open_[0]} of its sizer {called} is, is known only when the file is "
                    f"run; {_DECLARE}, or dict(sizer={called!r}, {open_[0]}=...)"
                )
            values = {
                one.arg: one.value.value for one in node.keywords if isinstance(one.value, ast.Constant) and one.arg
            }
            found[called] = Sizer(called, values, any(one.arg is None for one in node.keywords))
    if len(found) > 1:
        raise ValueError(
            f"{theirs.__name__} is run with several sizers, {', '.join(found)}; say which below the class: "
            f"{DECLARATION} = dict(sizer={next(iter(found))!r})"
        )
    return next(iter(found.values()), None)


def _traded(
    theirs: Any, frame: pd.DataFrame, parameters: Mapping[str, Any], sizer: Sizer | None, cash: float
) -> Traded:
    """What a class trades on an account with so much cash."""
    bt = importlib.import_module("backtrader")
    ordered, waiting = np.full(len(frame), np.nan), np.full(len(frame), np.nan)
    known: set[int] = set()
    filled: list[tuple[int, float, float]] = []
    refused: list[int] = []

    by_signals = hasattr(theirs, "_next_catch")  # a SignalStrategy orders by itself, before its own `next`
    own = getattr(theirs, "_next_custom", None) if by_signals else theirs.next

    def follow(strategy: Any) -> None:
        if own is not None:
            own(strategy)
        row, broker = len(strategy) - 1, strategy.broker
        orders = [one for one in [*broker.submitted, *broker.pending] if one is not None]
        fresh = [one for one in orders if one.ref not in known]
        known.update(one.ref for one in orders)
        if fresh:
            worth = float(broker.getvalue())
            ordered[row] = sum(one.created.size for one in fresh) * float(strategy.data.close[0]) / worth
        prices = [one.created.price for one in orders if one.created.price and one.exectype != _MARKET]
        if prices:
            waiting[row] = sum(prices)

    def note(analyzer: Any, order: Any) -> None:
        if order.status == order.Margin:
            refused.append(order.ref)
        if order.status in (order.Partial, order.Completed):
            for bit in order.executed.iterpending():
                filled.append((len(analyzer.strategy) - 1, float(bit.price), float(bit.size)))

    watched = type(theirs)(theirs.__name__, (theirs,), {"next": follow, "__module__": theirs.__module__})
    noting = type(bt.Analyzer)("Noting", (bt.Analyzer,), {"notify_order": note, "__module__": __name__})
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame, openinterest=None))
    cerebro.addstrategy(watched, **parameters)
    cerebro.addanalyzer(noting)
    if sizer is not None:
        kind = getattr(bt.sizers, sizer.name, None) or getattr(sys.modules.get(theirs.__module__), sizer.name, None)
        if kind is None:
            raise StrategyError(
                f"sizer {sizer.name} is none of backtrader or of the file; declare {DECLARATION} = dict(percents=95)"
            )
        cerebro.addsizer(kind, **sizer.values)
    cerebro.broker.setcash(cash)
    cerebro.run()
    if refused:
        warnings.warn(
            f"backtrader refuses orders of {theirs.__name__} for want of cash, as it does with orders for all of it "
            "where the next open is higher; which of them depends on whole units, so they are those that an account of "
            "`init_cash` could not pay for: order a little less than all, or raise it",
            FrameworkWarning,
            stacklevel=2,
        )
    return Traded(with_equity(_trades(filled), cash), ordered, waiting, refused=bool(refused))


def _trades(filled: list[tuple[int, float, float]]) -> list[tuple[int, int, float, float]]:
    """Fills of one net position (bar, price, units) as fills of trades, the oldest closed first."""
    found, held = [], list[list[float]]()  # of each open trade: its number and its units
    number = 0
    for bar, price, units in filled:
        left = units
        while left and held and held[0][1] * left < 0:
            part = -left if abs(left) < abs(held[0][1]) else held[0][1]
            found.append((bar, int(held[0][0]), price, -part))
            held[0][1] -= part
            left += part
            if held[0][1] == 0:
                held.pop(0)
        if left:
            found.append((bar, number, price, left))
            held.append([number, left])
            number += 1
    return found
