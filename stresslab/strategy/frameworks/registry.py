"""Which framework a class or a file is written for, and what to do with one that cannot be run.

`loading` asks here before it takes a class for a strategy of ours; each framework is one row of `FRAMEWORKS`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from stresslab.strategy.frameworks import backtesting_py, backtrader, estimators, freqtrade


class Framework(NamedTuple):
    """How classes of one framework are recognised and run.

    Attributes:
        name: as people know it.
        is_theirs: whether something is a class of it.
        adapted: the function of one series that a class stands for, given it and its file.
    """

    name: str
    is_theirs: Callable[[Any], bool]
    adapted: Callable[..., Callable[..., Any]]


FRAMEWORKS = (
    Framework("backtesting.py", backtesting_py.is_theirs, backtesting_py.adapted),
    Framework("backtrader", backtrader.is_theirs, backtrader.adapted),
    Framework("freqtrade", freqtrade.is_theirs, freqtrade.adapted),
    Framework("scikit-learn", estimators.is_theirs, estimators.adapted),
)


def framework_of(thing: Any) -> Framework | None:
    """The framework that something is a class of."""
    return next((one for one in FRAMEWORKS if one.is_theirs(thing)), None)


_REFUSED = {
    "jesse": "return where should_long and should_short hold from a function signals(bars), and give its stops as "
    "`stop_loss` and `take_profit`",
}
"""What to do with a class of a framework that is not run here, by the package that it comes from."""


def foreign(module: ModuleType) -> str:
    """Why a file without a strategy of ours has none, with what is nearest to it."""
    own = [value for value in vars(module).values() if inspect.isclass(value) and value.__module__ == module.__name__]
    for theirs in own:
        package = next((base.__module__.partition(".")[0] for base in theirs.__mro__[1:-1]), "")
        if package in _REFUSED:
            return f"has a class of {package}, {theirs.__name__}, which is not run here; {_REFUSED[package]}"
    if callable(getattr(module, "handle_data", None)):
        return "is written for zipline (handle_data), which is not run here; write a function on_bar(state, bar)"
    return "has no function signals(bars), weights(bars) or on_bar(state, bar); add one"
