"""An `IStrategy` class of freqtrade as a function from one series to fills, with or without freqtrade installed.

The class fills its columns once for each series; `freqtrade_trades` then trades it as freqtrade's backtesting does, one
trade at a time with all of the equity, or with what `custom_stake_amount` says. `freqtrade_pairs` says which symbol a
pair is. What needs an exchange or an order book is refused by name.
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
from stresslab.strategy.call_style import Form
from stresslab.strategy.fills import INIT_CASH, Fills
from stresslab.strategy.frameworks.accounts import as_series_function
from stresslab.strategy.frameworks.freqtrade_names import merge_informative_pair, timeframe_to_seconds
from stresslab.strategy.frameworks.freqtrade_pairs import (
    PAIR,
    DataProvider,
    Pairs,
    Wallets,
    frame_of,
    named_pairs,
    seconds_between,
    spelled,
)  # fmt: skip
from stresslab.strategy.frameworks.freqtrade_trades import Market, Trader
from stresslab.strategy.market_panel import MarketPanel
from stresslab.strategy.sandbox import FrameworkWarning

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
_OURS = {
    "leverage": "`max_leverage` here: its stops and targets are taken as those of a leverage of 1",
    "protections": "nothing here",
}
"""What is passed over, with a warning."""
_SHOWN = ("stoploss", "trailing_stop_positive", "trailing_stop_positive_offset", "startup_candle_count", "timeframe")


def is_theirs(thing: Any) -> bool:
    """Whether this is a class that extends freqtrade's `IStrategy`."""
    return inspect.isclass(thing) and any(
        base.__name__ == "IStrategy" and base.__module__.partition(".")[0] == "freqtrade" for base in thing.__mro__[1:]
    )


def adapted(theirs: Any, module: Any = None) -> Callable[..., Any]:
    """The function `fills(bars, **parameters)` that such a class stands for.

    A class that names pairs may be given a market, and answers with the fills of each symbol that it trades. Its
    parameters are the class's own numbers, its `IntParameter` and the like with the values of `buy_params` and
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

    names = named_pairs(theirs, module)

    def fills(bars: Any, **parameters: Any) -> Any:
        given = theirs, parameters, tuple(hyper)
        if not isinstance(bars, MarketPanel):
            pairs = Pairs((bars.attrs["symbol"],), names) if names else None
            own = PAIR if pairs is None else pairs.pair(pairs.symbols[0])
            return _Run(*given, {own: frame_of(bars)}, own, pairs).fills()
        pairs = Pairs(bars.symbols, names)
        frames = {pairs.pair(symbol): frame_of(Form("series").of(bars[symbol])) for symbol in bars.symbols}
        return {symbol: _Run(*given, frames, pairs.pair(symbol), pairs).fills() for symbol in pairs.traded}

    function = as_series_function(fills, theirs.__name__, defaults)
    if names:
        function.takes = "beside"  # type: ignore[attr-defined] # read by `Strategy`
        function.traded = lambda symbols: Pairs(symbols, names).traded  # type: ignore[attr-defined] # read by `Strategy`
    return function


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

    def __init__(
        self, theirs: Any, parameters: Mapping[str, Any], hyper: tuple[str, ...], frames: Mapping[str, pd.DataFrame],
        own: str, pairs: Pairs | None,
    ) -> None:  # fmt: skip
        self.pair, self.frame = own, frames[own]
        self.row = len(self.frame)
        self.analysed: pd.DataFrame | None = None
        stake = own.partition("/")[2]
        config = {
            "stake_currency": stake, "stake_amount": "unlimited", "dry_run": True, "max_open_trades": 1,
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
        self.strategy.dp = self.provider = DataProvider(frames, own, pairs, self.known)
        self.strategy.wallets = Wallets()
        self.strategy.config = config
        if _own(theirs, "bot_start"):
            self.strategy.bot_start()
        _warn(theirs, self.strategy, self.frame)

    def fills(self) -> Fills:
        """The class's columns, traded."""
        strategy, pair, rows = self.strategy, {"pair": self.pair}, len(self.frame)
        frame = self.frame.copy()
        for method in _informative_methods(strategy):
            for one in method._ft_informative:
                asked = one if isinstance(one, tuple) else (one.asset, one.timeframe, one.fmt, one.ffill)
                frame = self._merged(frame, method, asked)
        frame = strategy.populate_indicators(frame, pair)
        frame = _filled(frame, "populate_indicators", rows)
        frame["enter_tag"] = ""
        entering = "populate_entry_trend" if _own(type(strategy), "populate_entry_trend") else "populate_buy_trend"
        leaving = "populate_exit_trend" if _own(type(strategy), "populate_exit_trend") else "populate_sell_trend"
        frame = _filled(getattr(strategy, entering)(frame, pair), entering, rows)
        if _own(type(strategy), leaving):
            frame = _filled(getattr(strategy, leaving)(frame, pair), leaving, rows)
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
        return Market(self.frame["date"], prices, np.stack(flags, axis=1), tags, self.pair)

    def _look(self, bar: int) -> None:
        self.row = bar

    def known(self) -> pd.DataFrame:
        """The analysed bars that are over."""
        if self.analysed is None:
            raise StrategyError("get_analyzed_dataframe is asked before the columns are filled; ask it in a callback")
        return self.analysed.iloc[: self.row]

    def _merged(self, frame: pd.DataFrame, method: Any, asked: tuple[Any, ...]) -> pd.DataFrame:
        """Columns of an `@informative` method beside those of the pair, under the names that freqtrade gives them."""
        base, _, quote = self.pair.partition("/")
        names = {"base": base.lower(), "BASE": base, "quote": quote.lower(), "QUOTE": quote}
        asset, timeframe, named, ffill = asked
        asset = str(asset).format(stake=quote, stake_currency=quote, **names).upper() or self.pair
        base, _, quote = asset.partition("/")
        names = {"base": base.lower(), "BASE": base, "quote": quote.lower(), "QUOTE": quote}
        longer = method(self.provider.bars_of(asset, timeframe), {"pair": asset, "timeframe": timeframe})
        usual = "{base}_{quote}_{column}_{timeframe}" if asked[0] else "{column}_{timeframe}"
        form = named if callable(named) else (named or usual).format
        longer = longer.rename(
            columns={one: form(column=one, asset=asset, timeframe=timeframe, **names) for one in longer}
        )
        date = form(column="date", asset=asset, timeframe=timeframe, **names)
        return merge_informative_pair(
            frame, longer, spelled(seconds_between(self.frame)), timeframe, ffill=ffill, append_timeframe=False,
            date_column=date,
        )  # fmt: skip


def _reads_analysed(theirs: Any) -> bool:
    """Whether a class's source asks for the analysed bars in its callbacks."""
    try:
        return "get_analyzed_dataframe" in inspect.getsource(theirs)
    except (OSError, TypeError):
        return False


def _filled(frame: Any, method: str, rows: int) -> pd.DataFrame:
    if not isinstance(frame, pd.DataFrame):
        raise StrategyError(f"{method} returned a {type(frame).__name__}; return the dataframe")
    if len(frame) != rows:
        raise StrategyError(f"{method} returned {len(frame)} rows of {rows}; drop no rows")
    return frame


def _informative_methods(strategy: Any) -> list[Any]:
    marked = [name for name, one in inspect.getmembers(type(strategy), inspect.isroutine)
              if getattr(one, "_ft_informative", None)]  # fmt: skip
    return [getattr(strategy, name) for name in marked]


def _warn(theirs: Any, strategy: Any, frame: pd.DataFrame) -> None:
    """Say what is not as its author runs it."""
    timeframe, own = str(strategy.timeframe or ""), seconds_between(frame)
    if timeframe and timeframe_to_seconds(timeframe) != own:
        warnings.warn(
            f"{theirs.__name__} is written for bars of {timeframe}, and these are of {spelled(own)}: its windows and "
            "the minutes of minimal_roi mean something else on them",
            FrameworkWarning,
            stacklevel=2,
        )
    for name, instead in _OURS.items():
        if _own(theirs, name) and getattr(theirs, name):
            warnings.warn(f"{theirs.__name__} has {name}, which is {instead}", FrameworkWarning, stacklevel=2)
