"""A `Strategy` class of Jesse's as a function from one series to fills, without Jesse.

The class decides on an account that fills as Jesse's backtest does: market orders at the close, limits, stops and exits
inside the bar, in the order in which Jesse's path of a bar meets them. What it filled inside a bar is a fill here at
that price; what it filled at a close fills here at the next open, as all market orders do. Of what Jesse knows, other
timeframes, symbols and routes are refused by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from stresslab.strategy.fills import Fills
from stresslab.strategy.frameworks.accounts import as_series_function, shares_or_units
from stresslab.strategy.frameworks.jesse_names import Strategy
from stresslab.strategy.frameworks.jesse_trades import Trader

WARM_UP = 240
"""Bars before it may trade, as Jesse's own setting has them."""
_SETTING = "warm_up_candles"
_LEVERAGE = "LEVERAGE"
"""The name of a class's (or a file's) leverage, which Jesse has among its settings."""
_REFUSED = {
    "dna": "give its values by hyperparameters()",
    "trading_hours": "ask self.time in should_long",
    "candles_pipeline": "the universes are made by the run's generator",
    "ml_features": "fit and predict in the scikit-learn form",
    "on_route_open_position": "one route is traded",
    "on_route_close_position": "one route is traded",
    "on_route_increased_position": "one route is traded",
    "on_route_reduced_position": "one route is traded",
    "on_route_canceled": "one route is traded",
}
"""Methods that make another strategy where they are passed over."""


def is_theirs(thing: Any) -> bool:
    """Whether this is a class that extends Jesse's `Strategy`."""
    return inspect.isclass(thing) and any(
        base.__name__ == "Strategy" and base.__module__.partition(".")[0] == "jesse" for base in thing.__mro__[1:]
    )


def adapted(theirs: Any, module: Any = None) -> Callable[..., Fills]:
    """The function `fills(bars, **parameters)` that such a class stands for.

    Its parameters are its `hyperparameters()` with their defaults, its own class variables that are numbers, and
    `warm_up_candles`.

    Args:
        theirs: the class.
        module: the file that it stands in.

    Raises:
        ValueError: the class needs what a series of bars does not have, or extends the class of a Jesse that is
            installed.
    """
    if not issubclass(theirs, Strategy):
        raise ValueError(f"{theirs.__name__} extends the class of an installed Jesse; give its file")
    for name, instead in _REFUSED.items():
        if hasattr(theirs, name):
            raise ValueError(f"{theirs.__name__} has a method {name}, which is not run here: {instead}")
    hyper = {str(one["name"]): one["default"] for one in theirs().hyperparameters()}
    own = {
        name: value
        for one in reversed(theirs.__mro__[: theirs.__mro__.index(Strategy)])
        for name, value in vars(one).items()
        if name[0] != "_" and isinstance(value, int | float) and name != _LEVERAGE
    }
    leverage = getattr(theirs, _LEVERAGE, getattr(module, _LEVERAGE, 1))
    if not isinstance(leverage, int | float) or leverage < 1:
        raise ValueError(f"{_LEVERAGE}={leverage!r:.40} is no leverage; write a number from 1 up")

    def fills(bars: Any, **parameters: Any) -> Fills:
        frame = bars[["open", "close", "high", "low", "volume"]]
        begin = int(parameters.pop(_SETTING, WARM_UP))

        def made(values: Mapping[str, Any]) -> Any:
            strategy = theirs()
            strategy.hp = {name: values[name] for name in hyper}
            for name in own:
                if name not in hyper:
                    setattr(strategy, name, values[name])
            return strategy

        every = {**own, **hyper, **parameters}
        return shares_or_units(lambda cash: Trader(made(every), frame, cash, float(leverage)).traded(begin))

    return as_series_function(fills, theirs.__name__, {**own, **hyper, _SETTING: WARM_UP})
