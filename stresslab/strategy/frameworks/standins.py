"""Modules in the place of frameworks that are not installed, while a file that imports them is loaded.

Only names that a strategy needs to be defined are there; what is missing is named with the package that has it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

from stresslab.strategy.frameworks import freqtrade_names, jesse_names

_QTPYLIB = (
    "bollinger_bands", "crossed", "crossed_above", "crossed_below", "heikinashi", "rolling_mean", "rolling_std",
    "typical_price",
)  # fmt: skip
_TIMES = (
    "timeframe_to_minutes", "timeframe_to_msecs", "timeframe_to_next_date", "timeframe_to_prev_date",
    "timeframe_to_seconds",
)  # fmt: skip
_STRATEGY = (
    "BooleanParameter", "CategoricalParameter", "DecimalParameter", "IStrategy", "IntParameter", "RealParameter",
    "informative", "merge_informative_pair", "stoploss_from_absolute", "stoploss_from_open", *_TIMES,
)  # fmt: skip
_NEVER: dict[str, Any] = {"Trade": object, "Order": object, "PairLocks": object, "DataProvider": object}
"""Names that stand in annotations alone; a strategy that calls them says so when it is run."""
_RUN_MODE = SimpleNamespace(BACKTEST="backtest", HYPEROPT="hyperopt", LIVE="live", DRY_RUN="dry_run", PLOT="plot")


def _named(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(freqtrade_names, name) for name in names}


def _modules() -> Mapping[str, Mapping[str, Any]]:
    """What stands in each module, by the package that would have it."""
    strategy = {**_named(_STRATEGY), "Trade": object, "Order": object, "PairLocks": object, "AnnotationType": Any}
    return {
        "freqtrade": {},
        "freqtrade.strategy": strategy,
        "freqtrade.strategy.interface": {"IStrategy": freqtrade_names.IStrategy},
        "freqtrade.strategy.strategy_helper": strategy,
        "freqtrade.strategy.hyper": strategy,
        "freqtrade.strategy.parameters": strategy,
        "freqtrade.persistence": _NEVER,
        "freqtrade.persistence.trade_model": _NEVER,
        "freqtrade.exchange": _named(_TIMES),
        "freqtrade.enums": {"RunMode": _RUN_MODE},
        "freqtrade.data": {},
        "freqtrade.data.dataprovider": _NEVER,
        "freqtrade.constants": {},
        "freqtrade.vendor": {},
        "freqtrade.vendor.qtpylib": {},
        "freqtrade.vendor.qtpylib.indicators": _named(_QTPYLIB),
    }


def _jesse_modules() -> Mapping[str, Mapping[str, Any]]:
    """What stands in each module of Jesse's, whose own classes need its database."""
    return {
        "jesse": {},
        "jesse.strategies": {"Strategy": jesse_names.Strategy, "cached": jesse_names.cached},
        "jesse.utils": {one.__name__: one for one in jesse_names.UTILS},
        "jesse.indicators": {one.__name__: one for one in jesse_names.INDICATORS},
        "jesse.helpers": {},
    }


def _module(name: str, content: Mapping[str, Any]) -> ModuleType:
    module = ModuleType(name)
    module.__path__ = []
    module.__dict__.update(content)

    def missing(wanted: str) -> Any:
        if wanted.startswith("__"):
            raise AttributeError(wanted)
        if name.partition(".")[0] == "jesse":
            raise ImportError(
                f"{name}.{wanted} is not here; compute it in the file, from self.candles with numpy or a library such "
                "as TA-Lib"
            )
        raise ImportError(f"{name}.{wanted} needs {name.partition('.')[0]} itself; install it beside stresslab")

    module.__dict__["__getattr__"] = missing
    return module


@contextmanager
def standing_in(source: bytes) -> Iterator[None]:
    """Let a file import frameworks that are not installed, as far as it needs their base classes and helpers.

    Args:
        source: of the file; what it does not mention is not looked for.
    """
    added, before = dict[str, ModuleType](), dict[str, ModuleType]()
    wanted = dict[str, Mapping[str, Any]]()
    if b"freqtrade" in source and "freqtrade" not in sys.modules and importlib.util.find_spec("freqtrade") is None:
        wanted.update(_modules())
    if b"technical" in source and "technical" not in sys.modules and importlib.util.find_spec("technical") is None:
        wanted.update({"technical": {}, "technical.qtpylib": _named(_QTPYLIB)})
    if b"jesse" in source:
        wanted.update(_jesse_modules())
    for name, content in wanted.items():
        if name in sys.modules:
            before[name] = sys.modules[name]
        added[name] = sys.modules[name] = _module(name, content)
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(added[parent], own, added[name])
    try:
        yield
    finally:
        for name, module in added.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
        sys.modules.update(before)
