"""The names that files written for freqtrade import, for who does not have freqtrade: its base class and helpers.

Written from their documented behaviour; nothing of freqtrade's is copied. `standins` offers them to a file while it is
imported, `freqtrade` runs the class.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "M": 30 * 86400, "s": 1}


class IStrategy:
    """The base class of freqtrade's strategies: its settings with their defaults."""

    __module__ = "freqtrade.strategy.interface"
    INTERFACE_VERSION = 3
    stoploss = -0.1
    trailing_stop = False
    trailing_stop_positive: float | None = None
    trailing_stop_positive_offset = 0.0
    trailing_only_offset_is_reached = False
    use_custom_stoploss = False
    use_exit_signal = True
    exit_profit_only = False
    exit_profit_offset = 0.0
    ignore_roi_if_entry_signal = False
    position_adjustment_enable = False
    max_entry_position_adjustment = -1
    can_short = False
    timeframe = ""
    startup_candle_count = 0
    dp: Any = None
    wallets: Any = None

    def __init__(self, config: Any = None) -> None:
        self.config = config or {}


class _Parameter:
    """A value that freqtrade's search may change; here its default, or what `--param` says."""

    def __init__(self, *choices: Any, default: Any = None, **_: Any) -> None:
        named = {name: _.get(name) for name in ("low", "high", "categories")}
        self.choices = choices or tuple(value for value in named.values() if value is not None)
        self.value = default
        self.default = default

    @property
    def range(self) -> list[Any]:
        """All values that are tried: one."""
        return [self.value]


class IntParameter(_Parameter):
    """Whole numbers from low to high."""


class DecimalParameter(_Parameter):
    """Decimal numbers from low to high."""


class RealParameter(_Parameter):
    """Numbers from low to high."""


class CategoricalParameter(_Parameter):
    """One of several values."""

    def __init__(self, categories: Sequence[Any], *, default: Any = None, **_: Any) -> None:
        super().__init__(list(categories), default=categories[0] if default is None else default)


class BooleanParameter(_Parameter):
    """True or False."""


def timeframe_to_seconds(timeframe: str) -> int:
    """Seconds of a timeframe such as "5m"."""
    found = re.fullmatch(r"(\d+)([smhdwM])", timeframe)
    if not found:
        raise ValueError(f"{timeframe!r} is not a timeframe such as '5m', '1h' or '1d'")
    return int(found[1]) * _UNITS[found[2]]


def timeframe_to_minutes(timeframe: str) -> int:
    """Minutes of a timeframe such as "5m"."""
    return timeframe_to_seconds(timeframe) // 60


def timeframe_to_prev_date(timeframe: str, date: Any = None) -> Any:
    """The beginning of the bar that a time lies in."""
    return pd.Timestamp(date).floor(f"{timeframe_to_seconds(timeframe)}s")


def timeframe_to_msecs(timeframe: str) -> int:
    """Milliseconds of a timeframe such as "5m"."""
    return timeframe_to_seconds(timeframe) * 1000


def timeframe_to_next_date(timeframe: str, date: Any = None) -> Any:
    """The beginning of the bar after the one that a time lies in."""
    return timeframe_to_prev_date(timeframe, date) + pd.Timedelta(seconds=timeframe_to_seconds(timeframe))


def informative(
    timeframe: str, asset: str = "", fmt: Any = None, *, ffill: bool = True, candle_type: Any = None
) -> Callable[[Any], Any]:
    """Mark a method that fills columns of longer bars, which are merged under other names."""

    def mark(method: Any) -> Any:
        noted = getattr(method, "_ft_informative", [])
        method._ft_informative = [*noted, (asset, timeframe, fmt, ffill)]
        return method

    return mark


def merge_informative_pair(
    dataframe: pd.DataFrame,
    informative: pd.DataFrame,
    timeframe: str,
    timeframe_inf: str,
    ffill: bool = True,
    append_timeframe: bool = True,
    date_column: str = "date",
    suffix: str | None = None,
) -> pd.DataFrame:
    """Columns of longer bars beside those of shorter ones, each from the bar on at whose close it is known."""
    longer, shorter = timeframe_to_minutes(timeframe_inf), timeframe_to_minutes(timeframe)
    if longer < shorter:
        raise ValueError("Tried to merge a faster timeframe to a slower timeframe.")
    known = informative.copy()
    close = pd.to_timedelta(longer - shorter, "m")
    known["date_merge"] = known[date_column] + (close if longer > shorter else pd.Timedelta(0))
    merge = "date_merge"
    if append_timeframe or suffix:
        ending = suffix or timeframe_inf
        merge = f"date_merge_{ending}"
        known.columns = pd.Index([f"{name}_{ending}" for name in known.columns])
    if not ffill:
        return dataframe.merge(known, left_on="date", right_on=merge, how="left").drop(columns=merge)
    known = known.sort_values(merge)
    joined = pd.merge_asof(dataframe, known, left_on="date", right_on=merge)
    return joined.drop(columns=merge)


def stoploss_from_open(
    open_relative_stop: float, current_profit: float, is_short: bool = False, leverage: float = 1.0
) -> float:
    """The stop below the current price that lies at a profit counted from the entry."""
    if (current_profit == -1 and not is_short) or (is_short and current_profit == 1):
        return 1.0
    stop, profit = open_relative_stop / leverage, current_profit / leverage
    away = (1 - stop) / (1 - profit) - 1 if is_short else 1 - (1 + stop) / (1 + profit)
    return max(away * leverage, 0.0)


def stoploss_from_absolute(
    stop_rate: float, current_rate: float, is_short: bool = False, leverage: float = 1.0
) -> float:
    """The stop below the current price that lies at a price."""
    if current_rate == 0:
        return 1.0
    away = 1 - stop_rate / current_rate
    return max((-away if is_short else away) * leverage, 0.0)


def _series(values: Any, like: Any) -> pd.Series:
    """Numbers beside a series as a series."""
    if isinstance(values, pd.Series):
        return values
    return pd.Series(values, index=like.index)


def crossed_above(series1: Any, series2: Any) -> pd.Series:
    """Where one rises above the other."""
    like = series1 if isinstance(series1, pd.Series) else series2
    one, other = _series(series1, like), _series(series2, like)
    return (one > other) & (one.shift(1) <= other.shift(1))


def crossed_below(series1: Any, series2: Any) -> pd.Series:
    """Where one falls below the other."""
    like = series1 if isinstance(series1, pd.Series) else series2
    one, other = _series(series1, like), _series(series2, like)
    return (one < other) & (one.shift(1) >= other.shift(1))


def crossed(series1: Any, series2: Any, direction: str | None = None) -> pd.Series:
    """Where one crosses the other."""
    if direction is not None:
        return (crossed_above if direction == "above" else crossed_below)(series1, series2)
    return crossed_above(series1, series2) | crossed_below(series1, series2)


def rolling_mean(series: pd.Series, window: int = 200, min_periods: int | None = None) -> pd.Series:
    """A moving average."""
    return series.rolling(window, min_periods=window if min_periods is None else min_periods).mean()


def rolling_std(series: pd.Series, window: int = 200, min_periods: int | None = None) -> pd.Series:
    """A moving sample standard deviation."""
    return series.rolling(window, min_periods=window if min_periods is None else min_periods).std()


def bollinger_bands(series: pd.Series, window: int = 20, stds: float = 2) -> pd.DataFrame:
    """Bollinger's bands."""
    mid, away = rolling_mean(series, window, 1), rolling_std(series, window, 1) * stds
    return pd.DataFrame({"upper": mid + away, "mid": mid, "lower": mid - away}, index=series.index)


def typical_price(bars: pd.DataFrame) -> pd.Series:
    """Mean of high, low and close."""
    return (bars["high"] + bars["low"] + bars["close"]) / 3.0


def heikinashi(bars: pd.DataFrame) -> pd.DataFrame:
    """Heikin-Ashi bars."""
    close = (bars["open"] + bars["high"] + bars["low"] + bars["close"]).to_numpy() / 4
    opened = np.empty(len(bars))
    if len(bars):
        opened[0] = (bars["open"].iloc[0] + bars["close"].iloc[0]) / 2
    for at in range(1, len(bars)):
        opened[at] = (opened[at - 1] + close[at - 1]) / 2
    high = np.maximum(bars["high"].to_numpy(), np.maximum(opened, close))
    low = np.minimum(bars["low"].to_numpy(), np.minimum(opened, close))
    return pd.DataFrame({"open": opened, "high": high, "low": low, "close": close}, index=bars.index)
