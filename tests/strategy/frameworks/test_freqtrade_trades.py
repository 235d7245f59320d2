"""Trades of an IStrategy: by hand, and against freqtrade's own backtesting where it is installed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.backtest import Costs, Terms
from stresslab.backtest.fill_accounts import booked_trades, read_fills
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.universes import Universes
from stresslab.strategy import load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.frameworks.freqtrade_names import IStrategy
from stresslab.strategy.frameworks.freqtrade_trades import Market, Trader
from tests.make.bars import make_bars
from tests.make.freqtrade_real import original_orders, original_trades

SIGNALS = ("enter_long", "exit_long", "enter_short", "exit_short")


def trader(rows: list[tuple[float, ...]], flags: dict[int, str], **settings: Any) -> list[tuple[float, ...]]:
    """Fills of bars (open, high, low, close), signals by bar, and settings of the class."""
    strategy = type("Own", (IStrategy,), {"minimal_roi": {}, "stoploss": -0.5, **settings})()
    given = np.zeros((len(rows), 4), dtype=bool)
    for bar, name in flags.items():
        given[bar, SIGNALS.index(name)] = True
    dates = pd.Series(pd.date_range("2024-01-01", periods=len(rows), freq="h", tz="UTC"))
    market = Market(dates, np.array(rows, dtype=float), given, [None] * len(rows), "A/B")
    fills = Trader(strategy, market, 1000.0, lambda bar: None).run(0)
    return [(bar, *one) for bar, found in sorted(fills._fills.items()) for one in found]


FLAT = (100.0, 101.0, 99.0, 100.0)


def test_signals_fill_at_the_next_open() -> None:
    """In at the open after the entry, out at the open after the exit; a bar with both says nothing."""
    assert trader([FLAT] * 5, {0: "enter_long", 2: "exit_long"}) == [(1, 1, 100.0, 1.0), (3, -1, 100.0, 1.0)]
    assert trader([FLAT] * 4, {0: "enter_short", 1: "exit_short"}, can_short=True)[0] == (1, 1, 100.0, -1.0)
    assert trader([FLAT] * 4, {0: "enter_short"}) == []


@pytest.mark.parametrize(("settings", "bar", "price"), [
    ({"stoploss": -0.05}, (100.0, 101.0, 94.0, 96.0), 95.0),
    ({"stoploss": -0.05}, (90.0, 92.0, 89.0, 91.0), 90.0),  # the whole bar lies below the stop
    ({"minimal_roi": {"0": 0.1, "60": 0.02}}, (100.5, 104.0, 100.0, 103.0), 102.0),
    ({"minimal_roi": {"0": 0.1, "60": 0.02}}, (103.0, 104.0, 102.5, 103.0), 103.0),  # a new target, at the open
    ({"minimal_roi": {"0": 0.02}, "stoploss": -0.05}, (100.0, 104.0, 94.0, 95.0), 95.0),  # both: the stop
    ({"trailing_stop": True, "stoploss": -0.05}, (100.0, 110.0, 100.0, 109.0), 104.5),  # follows the high of the bar
])  # fmt: skip
def test_levels_inside_the_bar(settings: dict[str, Any], bar: tuple[float, ...], price: float) -> None:
    """A stop, a target by time and a trailing stop at the prices that freqtrade takes."""
    fills = trader([FLAT, FLAT, bar, FLAT], {0: "enter_long"}, **settings)
    assert fills[-1] == (2, -1, pytest.approx(price), 1.0)


def test_part_of_a_trade_is_taken_at_the_open() -> None:
    """So much of the money that was put in, the first first; all of it closes the trade, and more is refused."""
    draws = iter([None, 500.0, -300.0, -400.0])
    own = {
        "position_adjustment_enable": True,
        "adjust_trade_position": lambda self, trade, **_: next(draws, None),
        "custom_stake_amount": lambda self, **_: 200.0,
    }
    fills = trader([FLAT] * 6, {0: "enter_long"}, **own)
    assert fills[0] == (1, 1, 100.0, 0.2)
    assert fills[1] == (2, 2, 100.0, 0.5)
    assert fills[2:4] == [(3, -1, 100.0, 1.0), (3, -2, 100.0, pytest.approx(0.2))]
    assert fills[4:] == [(4, -2, 100.0, 1.0)]
    own["adjust_trade_position"] = lambda self, trade, **_: -trade.stake_amount - 1.0
    with pytest.raises(Exception, match=r"takes 201 from a trade of 200; take at most"):
        trader([FLAT] * 4, {0: "enter_long"}, **own)


def test_callbacks_get_the_arguments_that_they_name() -> None:
    """Old signatures without the later arguments work; a bar is announced before its callback."""
    seen: list[Any] = []
    own = {"custom_exit": lambda self, pair, current_profit: seen.append((pair, current_profit))}
    trader([FLAT] * 3, {0: "enter_long"}, **own)
    assert seen == [("A/B", 0.0), ("A/B", 0.0)]


def adjusted(self: Any, trade: Any, current_profit: float, **_: Any) -> float | None:
    """Add to what lies at a loss or at a large profit, and take from what lies at a small one."""
    if current_profit < -0.01 or current_profit > 0.03:
        return 60_000.0
    return -0.4 * trade.stake_amount if current_profit > 0.01 else None


def placed(self: Any, pair: Any, trade: Any, current_time: Any, current_rate: float, current_profit: float,
           after_fill: bool, **_: Any) -> float | None:  # fmt: skip
    """A wide stop after a fill, a near one at a profit."""
    return -0.06 if after_fill else -0.03 if current_profit > 0.02 else None


def random_class(base: Any, seed: int, adding: bool) -> Any:
    """A class whose settings, signals and callbacks are drawn."""
    rng = np.random.default_rng(seed)
    short, often = bool(rng.random() < 0.5), rng.uniform(0.05, 0.4, 4)

    def flagged(names: Any) -> Any:
        def method(self: Any, frame: Any, metadata: Any) -> Any:
            draws = np.random.default_rng(seed + 1000).random((len(frame), 4)) < often
            for name in names:
                frame[name] = draws[:, SIGNALS.index(name)].astype(int)
            return frame

        return method

    positive = float(rng.uniform(0.005, 0.03))
    own: dict[str, Any] = {
        "timeframe": "1d", "stoploss": -float(rng.uniform(0.01, 0.08)), "can_short": short,
        "startup_candle_count": int(rng.integers(0, 20)), "trailing_stop": bool(rng.random() < 0.5),
        "minimal_roi": {} if rng.random() < 0.3 else {
            "0": float(rng.uniform(0.01, 0.08)), "2880": float(rng.uniform(0.005, 0.03)),
            str(1440 * int(rng.integers(3, 9))): float(rng.choice([0.001 if adding else 0.0, -1.0])),
        },
        "ignore_roi_if_entry_signal": bool(rng.random() < 0.3), "exit_profit_only": bool(rng.random() < 0.3),
        "use_exit_signal": bool(rng.random() < 0.8), "populate_indicators": lambda self, frame, metadata: frame,
        "populate_entry_trend": flagged(SIGNALS[::2] if short else SIGNALS[:1]),
        "populate_exit_trend": flagged(SIGNALS[1::2] if short else SIGNALS[1:2]),
    }  # fmt: skip
    if own["trailing_stop"] and rng.random() < 0.7:
        own |= {"trailing_stop_positive": positive, "trailing_only_offset_is_reached": bool(rng.random() < 0.5)}
        own["trailing_stop_positive_offset"] = positive + float(rng.uniform(0.001, 0.03))
    if rng.random() < 0.4:
        own["use_custom_stoploss"] = True
        own["custom_stoploss"] = lambda self, pair, current_profit, **_: -0.02 if current_profit > 0.01 else None
    if rng.random() < 0.4:
        own["custom_exit"] = lambda self, trade, current_time, current_profit, **_: (
            "cut" if current_profit < -0.02 or (current_time - trade.open_date_utc).days > 6 else None
        )
    if adding:
        own |= {"position_adjustment_enable": True, "max_entry_position_adjustment": int(rng.integers(1, 3))}
        own["adjust_trade_position"] = adjusted
        if rng.random() < 0.5:
            own |= {"use_custom_stoploss": True, "custom_stoploss": placed}
        own["custom_stake_amount"] = lambda self, **_: 300_000.0
    return type("Drawn", (base,), own)


def my_trades(theirs: Any, bars: Bars) -> pd.DataFrame:
    """Trades of a class here, on an account of 1,000,000 without costs."""
    (strategy,) = load_strategies(theirs, {})
    strategy, universes = detect_call_style(strategy, bars), Universes.from_bars(bars, bars[:0])
    table = read_fills(strategy.decide(strategy.panel(universes, 0), init_cash=1e6), 0, "carry")
    prices = np.ascontiguousarray(universes.values[:, :, : CLOSE + 1], dtype=float)
    terms = Terms(Costs(0.0, 0.0), warmup=0, init_cash=1e6)
    return booked_trades(table, prices, np.zeros((1, len(bars))), terms, 252.0)


@pytest.mark.parametrize("seed", range(25))
def test_trades_are_those_of_freqtrade(seed: int, tmp_path: Path) -> None:
    """Signals, stops, targets by time, trailing stops and callbacks: bars, prices, sides and profits of every trade."""
    pytest.importorskip("freqtrade")
    base, bars = importlib.import_module("freqtrade.strategy").IStrategy, make_bars(200, seed=seed)
    theirs = random_class(base, seed, adding=False)
    said, mine = original_trades(theirs, bars, tmp_path), my_trades(theirs, bars).assign(short=lambda o: o.units < 0)
    columns = ["entry_bar", "exit_bar", "entry_price", "exit_price", "short", "profit"]
    one, other = (frame[frame["exit_bar"] < len(bars) - 1][columns].astype(float) for frame in (said, mine))
    assert len(one) > 5
    np.testing.assert_allclose(other.sort_values(columns[:2]), one.sort_values(columns[:2]), rtol=1e-9, atol=1e-4)


@pytest.mark.parametrize("seed", range(15))
def test_orders_of_positions_in_parts_are_those_of_freqtrade(seed: int, tmp_path: Path) -> None:
    """Adding to a trade and taking from it: bar, price and units of every order.

    Stakes are fixed, since freqtrade's own wallet forgets what parts earned that were taken before the last.
    """
    pytest.importorskip("freqtrade")
    base, bars = importlib.import_module("freqtrade.strategy").IStrategy, make_bars(200, seed=seed)
    theirs = random_class(base, seed, adding=True)
    said, mine = original_orders(theirs, bars, tmp_path), my_trades(theirs, bars)
    parts = [mine[[f"{at}_bar", f"{at}_price", "units"]].set_axis(said.columns, axis=1) for at in ("entry", "exit")]
    parts[1]["units"] *= -1.0
    one, other = (
        frame[frame["bar"] < len(bars) - 1].groupby(["bar", "price"], as_index=False)["units"].sum()
        for frame in (said.round({"price": 4}), pd.concat(parts).round({"price": 4}))
    )
    assert len(one) > 8
    np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-5)


def test_the_markets_time_is_the_bars() -> None:
    """A callback knows when its bar begins."""
    seen: list[Any] = []
    own = {"custom_exit": lambda self, current_time: seen.append(current_time)}
    trader([FLAT] * 3, {0: "enter_long"}, **own)
    assert [one.hour for one in seen] == [1, 2]
