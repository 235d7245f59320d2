"""What a file of Jesse's imports, without Jesse: the base class `Strategy`, `utils` and the plainest indicators.

They have the names and the meaning that Jesse documents; nothing of it is copied. An indicator that is not here is
refused by name when it is asked for.
"""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import StrategyError

SLICED = 240
"""Candles that an indicator's last value is made from, unless it is asked for all of its values."""
REFUSED = {
    "get_candles": "universes have one series of one timeframe; make longer bars from self.candles",
    "routes": "one route is traded; write a function of market for several",
    "data_routes": "universes have one series; make longer bars from self.candles",
    "all_positions": "one route is traded; write a function of market for several",
    "shared_vars": "one route is traded; use self.vars",
    "capital": "Jesse took it away; write self.balance",
    "metrics": "the run measures the trades; count your own in on_close_position",
    "trades": "the run lists the trades; keep your own in on_close_position",
    "orders": "read self.entry_orders and self.exit_orders",
    "daily_balances": "the run has the account's curve",
    "funding_rate": "bars have no funding; give it as a cost of the run",
    "next_funding_timestamp": "bars have no funding; give it as a cost of the run",
    "mark_price": "bars have one price; read self.price",
    "liquidation_price": "the run decides what a broker liquidates (`max_leverage`)",
    "min_qty": "it is there in live trading alone",
    "ml_predict": "fit and predict in the scikit-learn form",
    "ml_predict_proba": "fit and predict in the scikit-learn form",
    "record_features": "fit and predict in the scikit-learn form",
    "record_label": "fit and predict in the scikit-learn form",
}
"""What a strategy of Jesse's may ask for that bars do not have, with what is nearest."""


class Strategy:
    """The base class; `_account` is set by the run, and knows prices and position."""

    _account: Any
    symbol, exchange, name = "SERIES-CASH", "Sandbox", ""
    timeframe = "1D"
    is_spot_trading, is_futures_trading, exchange_type = False, True, "futures"
    is_live = is_livetrading = is_papertrading = False
    is_backtesting = True
    base_asset, quote_asset = "SERIES", "CASH"
    fee_rate = 0.0  # costs are the run's

    def __init__(self) -> None:
        """Nothing is ordered yet."""
        self.hp: dict[str, Any] = {}
        self.vars: dict[str, Any] = {}
        self.index = self.last_trade_index = self.trades_count = 0
        self.increased_count = self.reduced_count = 0
        self.buy: Any = None
        self.sell: Any = None
        self.stop_loss: Any = None
        self.take_profit: Any = None

    def __getattr__(self, name: str) -> Any:
        """Refuse by name what bars do not have."""
        if name in REFUSED:
            raise StrategyError(f"{type(self).__name__} asks for self.{name}, which is not here: {REFUSED[name]}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def should_short(self) -> bool:
        """Long only unless a class says otherwise."""
        return False

    def should_cancel_entry(self) -> bool:
        """Entries that wait are cancelled at the next close unless a class says otherwise."""
        return True

    def filters(self) -> list[Callable[[], bool]]:
        """What must hold of an entry."""
        return []

    def hyperparameters(self) -> list[dict[str, Any]]:
        """Parameters with name, type, range and default."""
        return []

    def _nothing(self, *_: Any, **__: Any) -> None:
        """What a class may say more, or what is only drawn or logged."""

    go_short = update_position = before = after = on_cancel = update_chart = terminate = before_terminate = _nothing
    on_open_position = on_close_position = on_increased_position = on_reduced_position = _nothing
    add_line_to_candle_chart = add_horizontal_line_to_candle_chart = add_extra_line_chart = _nothing
    add_horizontal_line_to_extra_chart = log = watch_list = _nothing

    candles = property(lambda self: self._account.candles())
    current_candle = property(lambda self: self._account.candles()[-1].copy())
    open = property(lambda self: float(self._account.candles()[-1, 1]))
    close = property(lambda self: float(self._account.candles()[-1, 2]))
    high = property(lambda self: float(self._account.candles()[-1, 3]))
    low = property(lambda self: float(self._account.candles()[-1, 4]))
    volume = property(lambda self: float(self._account.candles()[-1, 5]))
    price = property(lambda self: self._account.price)
    time = property(lambda self: self._account.time())
    position = property(lambda self: self._account.position)
    balance = property(lambda self: self._account.position.wallet)
    available_margin = property(lambda self: self._account.available_margin())
    leverage = property(lambda self: self._account.leverage)
    leveraged_available_margin = property(lambda self: self.leverage * self.available_margin)
    portfolio_value = property(lambda self: self._account.position.wallet + self._account.position.pnl)
    is_long = property(lambda self: self._account.position.qty > 0)
    is_short = property(lambda self: self._account.position.qty < 0)
    is_open = property(lambda self: self._account.position.qty != 0)
    is_close = property(lambda self: self._account.position.qty == 0)
    entry_orders = property(lambda self: self._account.entry_orders())
    exit_orders = property(lambda self: self._account.exit_orders())
    active_exit_orders = property(lambda self: self._account.exit_orders())
    average_entry_price = property(lambda self: self._account.position.entry_price)
    average_stop_loss = property(lambda self: _average(self.stop_loss))
    average_take_profit = property(lambda self: _average(self.take_profit))
    has_long_entry_orders = property(lambda self: self._account.enters(1))
    has_short_entry_orders = property(lambda self: self._account.enters(-1))

    def liquidate(self) -> None:
        """Close the position by a market order."""
        position = self._account.position
        if position.qty > 0 or position.qty < 0:
            setattr(self, "take_profit" if position.pnl > 0 else "stop_loss", (position.qty, self.price))


def _average(orders: Any) -> float:
    rows = np.atleast_2d(np.asarray(orders, dtype=float))
    return float(np.abs(rows[:, 0] * rows[:, 1]).sum() / np.abs(rows[:, 0]).sum())


def cached(method: Any) -> Any:
    """A method that Jesse computes once a candle; here it is computed when it is asked for."""
    return method


def size_to_qty(position_size: float, entry_price: float, precision: int = 3, fee_rate: float = 0.0) -> float:
    """Units that so much cash buys, rounded down; with a fee, less three times it."""
    scale = 10.0**precision
    return math.floor(position_size * (1 - 3 * fee_rate) / entry_price * scale) / scale


def qty_to_size(qty: float, price: float) -> float:
    """What so many units cost."""
    return qty * price


def risk_to_size(capital_size: float, risk_percentage: float, risk_per_qty: float, entry_price: float) -> float:
    """Cash whose loss at the stop is so many percent of the capital, which it does not exceed."""
    if risk_per_qty == 0:
        raise ValueError("risk cannot be zero")
    return min(capital_size * risk_percentage / 100 / risk_per_qty * entry_price, capital_size)


def risk_to_qty(
    capital: float,
    risk_per_capital: float,
    entry_price: float,
    stop_loss_price: float,
    precision: int = 8,
    fee_rate: float = 0.0,
) -> float:
    """Units whose loss at the stop is so many percent of the capital."""
    size = risk_to_size(capital, risk_per_capital, estimate_risk(entry_price, stop_loss_price), entry_price)
    return size_to_qty(size * (1 - 3 * fee_rate), entry_price, precision, fee_rate)


def estimate_risk(entry_price: float, stop_price: float) -> float:
    """Loss of a unit at the stop."""
    return abs(entry_price - stop_price)


def limit_stop_loss(
    entry_price: float, stop_price: float, trade_type: str, max_allowed_risk_percentage: float
) -> float:
    """The stop, or one so many percent from the entry where that is nearer."""
    risk = min(abs(entry_price - stop_price), entry_price * max_allowed_risk_percentage / 100)
    return entry_price - risk if trade_type == "long" else entry_price + risk


def crossed(series1: FloatArray, series2: Any, direction: str | None = None, sequential: bool = False) -> Any:
    """Whether one series crossed another (or a number) at the last bar, or at each."""
    first, second = pd.Series(series1), pd.Series(np.broadcast_to(series2, np.shape(series1)))
    above = (first > second) & (first.shift() <= second.shift())
    below = (first < second) & (first.shift() >= second.shift())
    found = {"above": above, "below": below, None: above | below}[direction].to_numpy()
    return found if sequential else bool(found[-1])


def sum_floats(float1: float, float2: float) -> float:
    """The sum without what binary fractions add."""
    return round(float1 + float2, 12)


def subtract_floats(float1: float, float2: float) -> float:
    """The difference without what binary fractions add."""
    return round(float1 - float2, 12)


UTILS = (
    size_to_qty, qty_to_size, risk_to_size, risk_to_qty, estimate_risk, limit_stop_loss, crossed, sum_floats,
    subtract_floats,
)  # fmt: skip

DonchianChannel = namedtuple("DonchianChannel", ["upperband", "middleband", "lowerband"])
BollingerBands = namedtuple("BollingerBands", ["upperband", "middleband", "lowerband"])


def _sliced(candles: FloatArray, sequential: bool) -> FloatArray:
    return candles if sequential or candles.ndim == 1 else candles[-SLICED:]


def _source(candles: FloatArray, kind: str, sequential: bool) -> pd.Series[float]:
    """The prices that an indicator is made of."""
    if candles.ndim == 1:
        return pd.Series(candles)
    _, opened, close, high, low, volume = _sliced(candles, sequential).T
    kinds = {
        "close": close, "open": opened, "high": high, "low": low, "volume": volume, "hl2": (high + low) / 2,
        "hlc3": (high + low + close) / 3, "ohlc4": (opened + high + low + close) / 4,
    }  # fmt: skip
    if kind not in kinds:
        raise StrategyError(f"source_type={kind!r} is none of {', '.join(kinds)}")
    return pd.Series(kinds[kind])


def _answer(series: pd.Series[float], sequential: bool) -> Any:
    return series.to_numpy() if sequential else float(series.iloc[-1])


def _last(series: pd.Series[float], period: int, of: Callable[..., Any]) -> Any:
    """What the last `period` values make, NaN where there are fewer."""
    return float(of(series.to_numpy(float)[-period:])) if len(series) >= period else np.nan


def sma(candles: FloatArray, period: int = 5, source_type: str = "close", sequential: bool = False) -> Any:
    """Simple moving average."""
    source = _source(candles, source_type, sequential)
    return source.rolling(period).mean().to_numpy() if sequential else _last(source, period, np.mean)


def ema(candles: FloatArray, period: int = 5, source_type: str = "close", sequential: bool = False) -> Any:
    """Exponential moving average, begun by the first bar; it has no value where there are fewer than `period`."""
    source = _source(candles, source_type, sequential)
    average = source.ewm(alpha=2 / (period + 1), adjust=False).mean()
    return _answer(average if len(source) >= period else average * np.nan, sequential)


def rsi(candles: FloatArray, period: int = 14, source_type: str = "close", sequential: bool = False) -> Any:
    """Relative strength index with Wilder's averages."""
    moves = _source(candles, source_type, sequential).diff()
    gains, losses = (_begun_by_mean(one, period, 1 / period) for one in (moves.clip(lower=0), -moves.clip(upper=0)))
    return _answer(100 * gains / (gains + losses), sequential)


def atr(candles: FloatArray, period: int = 14, sequential: bool = False) -> Any:
    """Average true range with Wilder's average."""
    _, _, close, high, low, _ = (pd.Series(column) for column in _sliced(candles, sequential).T)
    ranges = pd.concat([high - low, (high - close.shift()).abs(), (low - close.shift()).abs()], axis=1).max(axis=1)
    return _answer(_begun_by_mean(ranges, period, 1 / period), sequential)


def _begun_by_mean(source: pd.Series[float], period: int, alpha: float) -> pd.Series[float]:
    """An exponential average that begins with the mean of the first `period` values."""
    first = int(source.notna().to_numpy().argmax()) + period - 1
    if len(source) <= first:
        return source * np.nan
    values, found = source.to_numpy(float), np.full(len(source), np.nan)
    found[first] = values[first - period + 1 : first + 1].mean()
    from scipy.signal import lfilter  # slow to import

    found[first + 1 :], _ = lfilter([alpha], [1, alpha - 1], values[first + 1 :], zi=[(1 - alpha) * found[first]])
    return pd.Series(found)


def donchian(candles: FloatArray, period: int = 20, sequential: bool = False) -> DonchianChannel:
    """The highest high and the lowest low, with their middle."""
    _, _, _, high, low, _ = (pd.Series(column) for column in _sliced(candles, sequential).T)
    if sequential:
        upper, lower = high.rolling(period).max().to_numpy(), low.rolling(period).min().to_numpy()
    else:
        upper, lower = _last(high, period, np.max), _last(low, period, np.min)
    return DonchianChannel(upper, (upper + lower) / 2, lower)


def bollinger_bands(
    candles: FloatArray,
    period: int = 20,
    devup: float = 2.0,
    devdn: float = 2.0,
    matype: int = 0,
    devtype: int = 0,
    source_type: str = "close",
    sequential: bool = False,
) -> BollingerBands:
    """A simple moving average with standard deviations above and below."""
    if matype or devtype:
        raise StrategyError(f"bollinger_bands with matype={matype}, devtype={devtype} is not here; leave both at 0")
    source = _source(candles, source_type, sequential)
    if sequential:
        middle, spread = source.rolling(period).mean().to_numpy(), source.rolling(period).std(ddof=0).to_numpy()
    else:
        middle, spread = _last(source, period, np.mean), _last(source, period, np.std)
    return BollingerBands(middle + devup * spread, middle, middle - devdn * spread)


INDICATORS = (sma, ema, rsi, atr, donchian, bollinger_bands)
Strategy.__module__ = "jesse.strategies"
