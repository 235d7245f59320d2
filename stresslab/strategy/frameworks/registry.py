"""Which framework a class or a file is written for, and what to do with one that cannot be run.

`loading` asks here before it takes a class for a strategy of ours; each framework is one row of `FRAMEWORKS`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from stresslab.strategy.frameworks import backtesting_py, backtrader, estimators, freqtrade, jesse


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
    Framework("Jesse", jesse.is_theirs, jesse.adapted),
    Framework("scikit-learn", estimators.is_theirs, estimators.adapted),
)


def framework_of(thing: Any) -> Framework | None:
    """The framework that something is a class of."""
    return next((one for one in FRAMEWORKS if one.is_theirs(thing)), None)


_TRADES = "export its list of trades, which `stresslab trades` reads, or write its rule as a function signals(bars)"
SUFFIXES = {
    ".cs": f"is C# (NinjaTrader, cTrader, QuantConnect), which is not run here; {_TRADES}",
    ".mq4": f"is written for MetaTrader 4, which is not run here; {_TRADES}",
    ".mq5": f"is written for MetaTrader 5, which is not run here; {_TRADES}",
    ".pine": f"is Pine of TradingView, which is not run here; {_TRADES}",
    ".eld": f"is EasyLanguage of TradeStation, which is not run here; {_TRADES}",
    ".afl": f"is written for AmiBroker, which is not run here; {_TRADES}",
    ".ipynb": "is a notebook; save its cells as a file of Python, as `jupyter nbconvert` does",
}
"""Files of other platforms, by how their names end."""
_MODULES = {
    "zipline": "is written for zipline (initialize, handle_data), which is not run here; write the rule of handle_data "
    "as a function on_bar(state, bar)",
    "quantopian": "is written for Quantopian, which is not run here; write the rule as a function weights(market)",
    "AlgorithmImports": "is written for QuantConnect (QCAlgorithm), which is not run here; write the rule of OnData as "
    "a function on_bar(state, bar)",
    "MetaTrader5": f"trades an account of MetaTrader 5, which is not run here; {_TRADES}",
    "lumibot": "is written for Lumibot, which is not run here; write on_trading_iteration as on_bar(state, bar)",
    "nautilus_trader": "is written for NautilusTrader, which is not run here; write the rule of on_bar as a function "
    "on_bar(state, bar)",
    "pyalgotrade": "is written for PyAlgoTrade, which is not run here; write the rule of onBars as on_bar(state, bar)",
    "bt": "is written for bt, which is not run here; answer with its target weights from a function weights(bars)",
    "vectorbtpro": "is written for vectorbt PRO, which is not run here; answer with its entries and exits from a "
    "function signals(bars)",
}
"""What to do with a file that is written for something that is not run here, by what it imports."""


def refusal(source: bytes) -> str | None:
    """Why a file cannot be run, found without running it; None where nothing is known against it."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return SUFFIXES[".pine"] if source.lstrip().startswith(b"//@version") else None
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    if own & {"signals", "weights", "on_bar"}:
        return None
    if "handle_data" in own:
        return _MODULES["zipline"]
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    return next((_MODULES[top] for name in names if (top := name.partition(".")[0]) in _MODULES), None)


def foreign(module: ModuleType, source: bytes) -> str:
    """Why a file that was run has no strategy of ours, with what is nearest to it."""
    if any(one in source for one in (b"read_csv(", b"yf.download(", b"yfinance", b".plot(", b"fetch_ohlcv(")):
        return (
            "is a script without a function; put its lines from the indicators to the entries into a function "
            "signals(bars) that returns (entries, exits), with bars in the place of its table"
        )
    if any(inspect.isclass(one) and one.__module__ == module.__name__ for one in vars(module).values()):
        return (
            "has a class, and none with a method signals(self, bars), weights(self, bars) or on_bar(self, state, bar); "
            "rename the one that decides"
        )
    return "has no function signals(bars), weights(bars) or on_bar(state, bar); add one"
