"""An `IStrategy` class of freqtrade as a function from one series to fills, with or without freqtrade installed.

The class fills its columns once for each series; `freqtrade_trades` then trades it as freqtrade's backtesting does, one
trade at a time with all of the equity, or with what `custom_stake_amount` says. What needs an exchange, other pairs or
an order book is refused by name.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.errors import StrategyError
from stresslab.strategy.fills import INIT_CASH, Fills
from stresslab.strategy.frameworks.accounts import as_series_function
from stresslab.strategy.frameworks.freqtrade_names import merge_informative_pair, timeframe_to_seconds
from stresslab.strategy.frameworks.freqtrade_trades import Market, Trader
from stresslab.strategy.sandbox import FrameworkWarning

PAIR = "SERIES/CASH"
"""The pair, as a strategy sees it."""
_DEFAULTS: dict[str, Any] = {
    "minimal_roi": {}, "stoploss": -0.1, "trailing_stop": False, "trailing_stop_positive": None,
    "trailing_stop_positive_offset": 0.0, "trailing_only_offset_is_reached": False, "use_custom_stoploss": False,
    "use_exit_signal": True, "exit_profit_only": False, "exit_profit_offset": 0.0,
    "ignore_roi_if_entry_signal": False, "position_adjustment_enable": False, "max_entry_position_adjustment": -1,
    "can_short": False, "timeframe": "", "startup_candle_count": 0,
}  # fmt: skip
_FORMER = {
    "ticker_interval": "timeframe", "use_sell_signal": "use_exit_signal", "sell_profit_only": "exit_profit_only",
    "sell_profit_offset": "exit_profit_offset", "ignore_roi_if_buy_signal": "ignore_roi_if_entry_signal",
}  # fmt: skip
"""Settings by their names before version 3."""
_COLUMNS = {"buy": "enter_long", "sell": "exit_long", "buy_tag": "enter_tag"}
_FREQAI = "FreqAI is not run; fit and predict in signals(bars), see the scikit-learn example"
_REFUSED = {
    "custom_entry_price": "entries fill at the next open; answer with sl.Orders(limit=...) from signals(bars)",
    "custom_exit_price": "exits fill at the next open; give a target by minimal_roi",
    "custom_roi": "give the targets by minimal_roi",
    "adjust_entry_price": "entries fill at the next open, so none waits",
    "adjust_order_price": "entries fill at the next open, so none waits",
    "feature_engineering_expand_all": _FREQAI,
    "populate_any_indicators": _FREQAI,
}
_OURS = {"leverage": "`max_leverage`", "protections": "nothing here"}
"""What is passed over, with a warning."""
_SHOWN = ("stoploss", "trailing_stop_positive", "trailing_stop_positive_offset", "startup_candle_count", "timeframe")


def is_theirs(thing: Any) -> bool:
    """Whether this is a class that extends freqtrade's `IStrategy`."""
    return inspect.isclass(thing) and any(
        base.__name__ == "IStrategy" and base.__module__.partition(".")[0] == "freqtrade" for base in thing.__mro__[1:]
    )


def adapted(theirs: Any, module: Any = None) -> Callable[..., Any]:
    """The function `fills(bars, **parameters)` that such a class stands for.

    Its parameters are the class's own numbers, its `IntParameter` and the like with the values of `buy_params` and
    `sell_params`, and `stoploss`, the trailing stop, `timeframe` and `startup_candle_count`.

    Args:
        theirs: the class.
        module: the file that it stands in.

    Raises:
        ValueError: the class needs what a series of bars does not have.
    """
    _refuse(theirs)
    every = {name: getattr(theirs, name, None) for name in dir(theirs)}
    hyper: dict[str, Any] = {name: one for name, one in every.items() if _is_parameter(one)}
    own = {
        name: value
        for one in reversed(theirs.__mro__)
        if one.__module__.partition(".")[0] not in ("freqtrade", "builtins", "abc")
        for name, value in vars(one).items()
        if name[0] != "_" and isinstance(value, int | float) and name not in (*_DEFAULTS, *_FORMER)
        if name not in ("INTERFACE_VERSION", "PARAMETERS", "process_only_new_candles", "can_short", "max_open_trades")
    }
    settings = {name: _setting(theirs, name) for name in _SHOWN}
    found = {name: value for one in ("buy_params", "sell_params", "enter_params", "exit_params", "protection_params")
             for name, value in (getattr(theirs, one, None) or {}).items()}  # fmt: skip
    defaults = {
        **{name: found.get(name, one.value) for name, one in hyper.items()},
        **own,
        **{name: value for name, value in settings.items() if value is not None},
    }

    def fills(bars: Any, **parameters: Any) -> Fills:
        return _Run(theirs, bars, parameters, tuple(hyper)).fills()

    return as_series_function(fills, theirs.__name__, defaults)


def _is_parameter(one: Any) -> bool:
    """Whether a class variable is one of `IntParameter` and the like."""
    return not inspect.isclass(one) and any(
        base.__module__.startswith(("freqtrade.strategy", "stresslab.strategy.frameworks.freqtrade_names"))
        and base.__name__.endswith("Parameter")
        for base in type(one).__mro__
    )


def _setting(theirs: Any, name: str) -> Any:
    """A setting of the class, by its name or its former one."""
    for former, current in _FORMER.items():
        own = any(former in vars(one) for one in theirs.__mro__)
        if current == name and own:
            return getattr(theirs, former)
    return getattr(theirs, name, _DEFAULTS[name])


def _refuse(theirs: Any) -> None:
    for name, instead in _REFUSED.items():
        owner = next((one for one in theirs.__mro__ if name in vars(one)), None)
        if owner is not None and owner.__module__.partition(".")[0] != "freqtrade":
            raise ValueError(f"{theirs.__name__} defines {name}, which is not run here: {instead}")
    if not any(_own(theirs, name) for name in ("populate_entry_trend", "populate_buy_trend")):
        raise ValueError(f"{theirs.__name__} has no populate_entry_trend; add it, or name another class of the file")


def _own(theirs: Any, name: str) -> bool:
    owner = next((one for one in theirs.__mro__ if name in vars(one)), None)
    return owner is not None and owner.__module__.partition(".")[0] != "freqtrade"


class _Run:
    """A class on one series."""

    def __init__(self, theirs: Any, bars: pd.DataFrame, parameters: Mapping[str, Any], hyper: tuple[str, ...]) -> None:
        self.bars, self.row = bars, len(bars)
        self.frame = _frame(bars)
        self.analysed: pd.DataFrame | None = None
        config = {
            "stake_currency": "CASH", "stake_amount": "unlimited", "dry_run": True, "max_open_trades": 1,
            "runmode": SimpleNamespace(value="backtest"), "timeframe": parameters.get("timeframe", ""),
            "exchange": {"name": "none"}, "trading_mode": "spot", "candle_type_def": "spot", "original_config": {},
        }  # fmt: skip
        self.strategy = theirs() if theirs.__init__ is object.__init__ else theirs(config)
        for name in _DEFAULTS:
            setattr(self.strategy, name, _setting(theirs, name))
        for name, value in parameters.items():
            if name in hyper:
                getattr(self.strategy, name).value = value
            else:
                setattr(self.strategy, name, value)
        self.strategy.dp, self.strategy.wallets = _DataProvider(self), _Wallets()
        self.strategy.config = config
        if _own(theirs, "bot_start"):
            self.strategy.bot_start()
        _warn(theirs, self.strategy, self.frame)

    def fills(self) -> Fills:
        """The class's columns, traded."""
        strategy, pair = self.strategy, {"pair": PAIR}
        frame = self.frame.copy()
        for method in _informative_methods(strategy):
            for one in method._ft_informative:
                asked = one[:3] if isinstance(one, tuple) else (one.asset, one.timeframe, one.fmt)
                frame = self._merged(frame, method, asked, pair)
        frame = strategy.populate_indicators(frame, pair)
        frame = _filled(frame, "populate_indicators", len(self.bars))
        frame["enter_tag"] = ""
        entering = "populate_entry_trend" if _own(type(strategy), "populate_entry_trend") else "populate_buy_trend"
        leaving = "populate_exit_trend" if _own(type(strategy), "populate_exit_trend") else "populate_sell_trend"
        frame = _filled(getattr(strategy, entering)(frame, pair), entering, len(self.bars))
        if _own(type(strategy), leaving):
            frame = _filled(getattr(strategy, leaving)(frame, pair), leaving, len(self.bars))
        former = {old: new for old, new in _COLUMNS.items() if old in frame}
        frame = frame.drop(columns=[new for new in former.values() if new in frame]).rename(columns=former)
        self.analysed = frame if "enter_tag" in frame else frame.assign(enter_tag="")
        trader = Trader(strategy, self._market(), INIT_CASH.get(), self._look)
        fills = trader.run(int(strategy.startup_candle_count))
        if _reads_analysed(type(strategy)):  # what its callbacks may see at a close counts as decided there
            numbers = self.analysed.select_dtypes("number").to_numpy(dtype=float)
            fills.waiting[:] = np.where(np.isfinite(numbers), numbers, 0.0).sum(axis=1)
        return fills

    def _market(self) -> Market:
        frame = self.analysed
        assert frame is not None
        flags = [
            (frame[name].to_numpy(dtype=float, na_value=0.0) == 1)
            if name in frame
            else np.zeros(len(frame), dtype=np.bool_)
            for name in ("enter_long", "exit_long", "enter_short", "exit_short")
        ]
        prices = self.frame[["open", "high", "low", "close"]].to_numpy(dtype=float)
        tags = [tag if isinstance(tag, str) and tag else None for tag in frame["enter_tag"]]
        return Market(self.frame["date"], prices, np.stack(flags, axis=1), tags, PAIR)

    def _look(self, bar: int) -> None:
        self.row = bar

    def known(self) -> pd.DataFrame:
        """The analysed bars that are over."""
        if self.analysed is None:
            raise StrategyError("get_analyzed_dataframe is asked before the columns are filled; ask it in a callback")
        return self.analysed.iloc[: self.row]

    def longer(self, timeframe: str) -> pd.DataFrame:
        """The same series in longer bars."""
        seconds = timeframe_to_seconds(timeframe)
        own = _seconds(self.frame)
        if seconds < own:
            raise StrategyError(
                f"the strategy asks for bars of {timeframe}, and the data has {_spelled(own)}; give such bars"
            )
        if seconds == own:
            return self.frame.copy()
        began = self.frame["date"].dt.floor("D") - pd.to_timedelta(self.frame["date"].dt.weekday, "D")
        if seconds != 7 * 86400:
            began = self.frame["date"].dt.floor(f"{seconds}s")
        rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
        return self.frame.groupby(began.rename("date")).agg(rules).reset_index()

    def _merged(
        self, frame: pd.DataFrame, method: Any, asked: tuple[Any, ...], pair: Mapping[str, str]
    ) -> pd.DataFrame:
        asset, timeframe, name = asked
        if asset and asset not in (PAIR, "{base}/{stake}", "{BASE}/{STAKE}"):
            raise StrategyError(_other_pair(asset))
        longer = method(self.longer(timeframe), dict(pair))
        merged = merge_informative_pair(frame, longer, _spelled(_seconds(self.frame)), timeframe)
        if isinstance(name, str):
            words = {"timeframe": timeframe, "base": "SERIES", "quote": "CASH", "stake": "CASH", "asset": PAIR}
            renamed = {f"{one}_{timeframe}": name.format(column=one, **words) for one in longer.columns}
            merged = merged.rename(columns=renamed)
        return merged


def _reads_analysed(theirs: Any) -> bool:
    """Whether a class's source asks for the analysed bars in its callbacks."""
    try:
        return "get_analyzed_dataframe" in inspect.getsource(theirs)
    except (OSError, TypeError):
        return False


def _frame(bars: pd.DataFrame) -> pd.DataFrame:
    """Bars as freqtrade gives them: numbered rows, and when each begins."""
    stamps = pd.DatetimeIndex(bars.index)
    dates = stamps.tz_localize("UTC") if stamps.tz is None else stamps.tz_convert("UTC")
    frame = bars[["open", "high", "low", "close", "volume"]].reset_index(drop=True)
    frame.insert(0, "date", dates)
    return frame


def _filled(frame: Any, method: str, rows: int) -> pd.DataFrame:
    if not isinstance(frame, pd.DataFrame):
        raise StrategyError(f"{method} returned a {type(frame).__name__}; return the dataframe")
    if len(frame) != rows:
        raise StrategyError(f"{method} returned {len(frame)} rows of {rows}; drop no rows")
    return frame


def _seconds(frame: pd.DataFrame) -> int:
    """Between two bars, mostly."""
    return int(np.median(np.diff(frame["date"].to_numpy()) / np.timedelta64(1, "s"))) if len(frame) > 1 else 60


def _spelled(seconds: int) -> str:
    """A timeframe such as "1h"."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _informative_methods(strategy: Any) -> list[Any]:
    marked = [name for name, one in inspect.getmembers(type(strategy), inspect.isroutine)
              if getattr(one, "_ft_informative", None)]  # fmt: skip
    return [getattr(strategy, name) for name in marked]


def _warn(theirs: Any, strategy: Any, frame: pd.DataFrame) -> None:
    """Say what is not as its author runs it."""
    timeframe, own = str(strategy.timeframe or ""), _seconds(frame)
    if timeframe and timeframe_to_seconds(timeframe) != own:
        warnings.warn(
            f"{theirs.__name__} is written for bars of {timeframe}, and these are of {_spelled(own)}: its windows and "
            "the minutes of minimal_roi mean something else on them",
            FrameworkWarning,
            stacklevel=2,
        )
    for name, instead in _OURS.items():
        if _own(theirs, name) and getattr(theirs, name):
            warnings.warn(f"{theirs.__name__} has {name}, which is {instead}", FrameworkWarning, stacklevel=2)


def _other_pair(pair: str) -> str:
    return (
        f"the strategy asks for bars of {pair}, and universes continue one series; longer bars of the same pair are "
        "made of it, for other symbols write a function of market"
    )


class _DataProvider:
    """What a strategy's `self.dp` can answer from one series."""

    runmode = SimpleNamespace(value="backtest")

    def __init__(self, run: _Run) -> None:
        self._run = run

    def current_whitelist(self) -> list[str]:
        """The one pair."""
        return [PAIR]

    def get_pair_dataframe(self, pair: str = PAIR, timeframe: str | None = None, candle_type: str = "") -> pd.DataFrame:
        """The series, in longer bars too."""
        if pair != PAIR:
            raise StrategyError(_other_pair(pair))
        return self._run.longer(timeframe) if timeframe else self._run.frame.copy()

    historic_ohlcv = get_pair_dataframe

    def get_analyzed_dataframe(self, pair: str, timeframe: str = "") -> tuple[pd.DataFrame, Any]:
        """The bars that are over, with the strategy's columns."""
        frame = self._run.known()
        return frame, None if frame.empty else frame["date"].iloc[-1]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise StrategyError(f"self.dp.{name} needs an exchange, and a universe has none; decide from the bars")


class _Wallets:
    """An account that has what a run begins with."""

    def get_total_stake_amount(self) -> float:
        """All of it."""
        return INIT_CASH.get()

    def get_available_stake_amount(self) -> float:
        """All of it."""
        return INIT_CASH.get()

    def get_total(self, currency: str = "") -> float:
        """All of it."""
        return INIT_CASH.get()

    get_free = get_total
