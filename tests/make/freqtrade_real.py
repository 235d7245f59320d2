"""freqtrade's own backtesting, where it is installed, on one pair without an exchange and without fees."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, PropertyMock, patch

import pandas as pd

from stresslab.data.bars import Bars

_BACKTESTING = "freqtrade.optimize.backtesting"
_ANSWERS = {
    "market_is_tradable": True, "get_pair_quote_currency": "CASH", "get_fee": 0.0, "get_max_leverage": 1.0,
    "get_maintenance_ratio_and_amt": (0.0, 0.0), "get_min_pair_stake_amount": 0.0, "get_max_pair_stake_amount": 1e18,
}  # fmt: skip
_SILENT = (
    "_init_ccxt", "validate_config", "reload_markets", "validate_timeframes", "close", "additional_exchange_init",
    "fill_leverage_tiers",
)  # fmt: skip
_USUAL = {
    "use_exit_signal": True, "exit_profit_only": False, "exit_profit_offset": 0.0,
    "ignore_roi_if_entry_signal": False, "max_open_trades": 1,
}  # fmt: skip


def frame_of(bars: Bars) -> pd.DataFrame:
    """Bars as freqtrade gives them to a strategy."""
    frame = bars.frame[["open", "high", "low", "close", "volume"]].reset_index(names="date")
    return frame.assign(date=pd.DatetimeIndex(frame["date"]).tz_localize("UTC"))


def original_trades(theirs: Any, bars: Bars, folder: Path, others: Mapping[str, Bars] | None = None) -> pd.DataFrame:
    """Trades of a class as freqtrade's backtesting has them: an account of 1,000,000, one trade at a time.

    Args:
        theirs: a class of its own `IStrategy`.
        bars: of the timeframe that the class names.
        folder: an empty one for what it writes.
        others: bars of pairs that the class looks at, such as "BTC/CASH".
    """
    found, bar = _results(theirs, bars, folder, others or {}), _numbers(bars)
    return pd.DataFrame({
        "entry_bar": found["open_date"].map(bar), "exit_bar": found["close_date"].map(bar),
        "entry_price": found["open_rate"], "exit_price": found["close_rate"], "short": found["is_short"],
        "profit": found["profit_abs"],
    })  # fmt: skip


def original_orders(theirs: Any, bars: Bars, folder: Path) -> pd.DataFrame:
    """Every order of these trades: bar, price and signed units."""
    bar = {int(date.timestamp() * 1000): at for date, at in _numbers(bars).items()}
    rows = [
        (bar[one["order_filled_timestamp"]], one["safe_price"], _signed(one))
        for orders in _results(theirs, bars, folder, {})["orders"]
        for one in orders
    ]
    return pd.DataFrame(rows, columns=["bar", "price", "units"])


def _signed(order: Mapping[str, Any]) -> float:
    return float(order["amount"]) if order["ft_order_side"] == "buy" else -float(order["amount"])


def _numbers(bars: Bars) -> dict[Any, int]:
    return {date: at for at, date in enumerate(frame_of(bars)["date"])}


def _stored(folder: Path, pairs: Mapping[str, Bars], candles: Any) -> None:
    """Bars of pairs, and days and weeks made of them, as files of freqtrade's."""
    handler = importlib.import_module("freqtrade.data.history").get_datahandler(folder, "feather")
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    for pair, bars in pairs.items():
        days = frame_of(bars)
        handler.ohlcv_store(pair, "1d", days, candles)
        weeks = days.resample("W-MON", on="date", closed="left", label="left").agg(rules).reset_index()
        handler.ohlcv_store(pair, "1w", weeks, candles)


def _results(theirs: Any, bars: Bars, folder: Path, others: Mapping[str, Bars]) -> pd.DataFrame:
    """What freqtrade's backtesting finds."""
    pair, frame = "SERIES/CASH" + (":CASH" if theirs.can_short else ""), frame_of(bars)
    exchange = importlib.import_module("freqtrade.exchange.exchange").Exchange
    config = _config(theirs, pair, folder)
    _stored(folder, {pair: bars, **others}, config["candle_type_def"])
    with ExitStack() as stack:
        answers = {name: MagicMock(return_value=value) for name, value in _ANSWERS.items()}
        stack.enter_context(patch.multiple(exchange, **answers, **{name: MagicMock() for name in _SILENT}))
        market = {one: _market(one, bool(theirs.can_short)) for one in (pair, *others)}
        for name, value in {"markets": market, "precisionMode": 4, "precision_mode_price": 4}.items():
            stack.enter_context(patch.object(exchange, name, PropertyMock(return_value=value)))
        for name in ("validate_config_consistency", "update_liquidation_prices", "Backtesting._run_funding_fees"):
            stack.enter_context(patch(f"{_BACKTESTING}.{name}", MagicMock()))
        stack.enter_context(
            patch(f"{_BACKTESTING}.StrategyResolver.load_strategy", lambda config: _made(theirs, config))
        )
        stack.enter_context(patch(f"{_BACKTESTING}.Backtesting.init_backtest_detail", _no_detail))
        run = importlib.import_module(_BACKTESTING).Backtesting(config)
        run.timerange, run.futures_data = importlib.import_module("freqtrade.configuration").TimeRange(), {}
        run._set_strategy(run.strategylist[0])
        run.required_startup = theirs.startup_candle_count
        stamps = frame["date"].dt.to_pydatetime()
        processed = run.strategy.advise_all_indicators({pair: frame.copy()})
        return run.backtest(processed=processed, start_date=stamps.iloc[0], end_date=stamps.iloc[-1])["results"]


def _no_detail(run: Any) -> None:
    run.timeframe_detail_td, run.detail_data, run.timeframe_detail_min = None, {}, 0


def _made(theirs: Any, config: Any) -> Any:
    """An object of the class with the settings that freqtrade's loader would give it."""
    strategy = theirs(config)
    strategy.minimal_roi = {int(key): value for key, value in strategy.minimal_roi.items()}
    for name, value in _USUAL.items():
        if not hasattr(strategy, name):
            setattr(strategy, name, value)
    own = vars(theirs).get("custom_stoploss")
    strategy._ft_stop_uses_after_fill = own is not None and "after_fill" in inspect.getfullargspec(own).args
    return strategy


def _market(pair: str, swap: bool) -> dict[str, Any]:
    open_ended = {"min": None, "max": None}
    return {
        "id": pair, "symbol": pair, "base": pair.partition("/")[0],
        "quote": pair.partition("/")[2].partition(":")[0], "active": True,
        "spot": not swap, "swap": swap,
        "linear": True, "contract": swap, "settle": "CASH" if swap else None, "type": "swap" if swap else "spot",
        "future": False, "contractSize": 1, "precision": {"price": None, "amount": None}, "info": {}, "taker": 0.0,
        "maker": 0.0, "limits": {name: open_ended for name in ("amount", "cost", "leverage", "price")},
    }  # fmt: skip


def _config(theirs: Any, pair: str, folder: Path) -> dict[str, Any]:
    enums = importlib.import_module("freqtrade.enums")
    candles = enums.CandleType.FUTURES if theirs.can_short else enums.CandleType.SPOT
    return {
        "stake_currency": "CASH", "stake_amount": "unlimited", "max_open_trades": 1, "dry_run_wallet": 1e6,
        "dry_run": True, "trading_mode": "futures" if theirs.can_short else "spot",
        "margin_mode": "isolated" if theirs.can_short else "", "timeframe": theirs.timeframe, "fee": 0.0,
        "exchange": {"name": "binance", "pair_whitelist": [pair], "pair_blacklist": []}, "stoploss": -0.1,
        "pairlists": [{"method": "StaticPairList"}], "runmode": enums.RunMode.BACKTEST, "user_data_dir": folder,
        "datadir": folder, "export": "none", "exportfilename": None, "tradable_balance_ratio": 1.0, "minimal_roi": {},
        "entry_pricing": {"price_side": "same"}, "exit_pricing": {"price_side": "same"}, "candle_type_def": candles,
        "strategy": theirs.__name__, "dataformat_ohlcv": "feather", "dataformat_trades": "feather",
        "enable_protections": False, "position_stacking": False, "liquidation_buffer": 0.0,
        "amend_last_stake_amount": False, "last_stake_amount_min_ratio": 0.5,
        "unfilledtimeout": {"entry": 10, "exit": 10, "unit": "minutes", "exit_timeout_count": 0},
    }  # fmt: skip
