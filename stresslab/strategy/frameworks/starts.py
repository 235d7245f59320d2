"""Files to start from: a whole small strategy in the form of each framework, which passes the look-ahead check.

`write_start` writes one; who asks for it is for others to know.
"""

from __future__ import annotations

from pathlib import Path

from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean

_BLANK = '''"""One sentence that says what it does."""


def signals(bars, window=20):
    """Long above the moving average of `window` bars."""
    average = bars.close.rolling(window).mean()
    return bars.close > average, bars.close < average
'''
_FREQTRADE = '''"""One sentence that says what it does."""

from pandas import DataFrame

from freqtrade.strategy import IntParameter, IStrategy  # runs without freqtrade too


class {name}(IStrategy):
    timeframe = "1d"
    minimal_roi = {{"0": 0.10, "14400": 0.04}}  # by minutes since the entry
    stoploss = -0.05
    startup_candle_count = 20
    window = IntParameter(5, 100, default=20)

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["average"] = dataframe["close"].rolling(self.window.value).mean()
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["close"] > dataframe["average"], "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["close"] < dataframe["average"], "exit_long"] = 1
        return dataframe
'''
_BACKTRADER = '''"""One sentence that says what it does."""

import backtrader as bt

SIZER = dict(percents=95)  # what cerebro.addsizer(bt.sizers.PercentSizer, percents=95) does


class {name}(bt.Strategy):
    params = dict(window=20)

    def __init__(self):
        self.average = bt.ind.SMA(period=self.p.window)

    def next(self):
        if not self.position and self.data.close[0] > self.average[0]:
            self.buy()
        elif self.position and self.data.close[0] < self.average[0]:
            self.close()
'''
_BACKTESTING = '''"""One sentence that says what it does."""

import pandas as pd
from backtesting import Strategy

BACKTEST = dict(exclusive_orders=True)  # as in Backtest(data, {name}, exclusive_orders=True)


def average(close, window):
    return pd.Series(close).rolling(window).mean()


class {name}(Strategy):
    window = 20

    def init(self):
        self.average = self.I(average, self.data.Close, self.window)

    def next(self):
        price = self.data.Close[-1]
        if not self.position and price > self.average[-1]:
            self.buy(sl=0.95 * price)
        elif self.position and price < self.average[-1]:
            self.position.close()
'''
_SKLEARN = '''"""One sentence that says what it does."""

from sklearn.linear_model import LogisticRegression


class {name}:
    """Fitted on the first `train` bars, and again every `refit` bars where that is not 0."""

    model = LogisticRegression()
    train, refit, ahead = 500, 0, 5

    def features(self, bars):
        """What is known at each close."""
        moves = {{f"move_{{days}}": bars["close"].pct_change(days) for days in (5, 20, 60)}}
        return bars.assign(**moves)[list(moves)]

    def target(self, bars):
        """What it learns, which may look `ahead` bars ahead."""
        later = bars["close"].shift(-self.ahead)
        return (later > bars["close"]).astype(float).where(later.notna())
'''
_JESSE = '''"""One sentence that says what it does."""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy  # runs without Jesse


class {name}(Strategy):
    def hyperparameters(self):
        return [{{"name": "window", "type": int, "min": 5, "max": 100, "default": 20}}]

    def should_long(self):
        return self.price > ta.sma(self.candles, self.hp["window"])

    def go_long(self):
        self.buy = utils.size_to_qty(self.balance, self.price), self.price

    def on_open_position(self, order):
        self.stop_loss = self.position.qty, 0.95 * self.price

    def update_position(self):
        if self.price < ta.sma(self.candles, self.hp["window"]):
            self.liquidate()
'''
STARTS = {
    "blank": _BLANK,
    "freqtrade": _FREQTRADE,
    "backtrader": _BACKTRADER,
    "backtesting": _BACKTESTING,
    "jesse": _JESSE,
    "sklearn": _SKLEARN,
}
"""What a file begins with, by its form."""


def write_start(name: str, form: str) -> Path:
    """Write a file to start from, and return its path.

    Args:
        name: of the strategy, with or without `.py`; it may lie in a folder.
        form: one of `STARTS`.

    Raises:
        InputError: there is no such form, the name is none, or the file exists.
    """
    if form not in STARTS:
        raise InputError(f"there is no start {form!r}{did_you_mean(form, sorted(STARTS))}")
    path = Path(name if name.endswith(".py") else f"{name}.py")
    if not path.stem.isidentifier():
        raise InputError(f"{path.stem!r} is not a name of Python: begin with a letter, and use letters, digits and _")
    if path.exists():
        raise InputError(f"{path} exists already; give another name")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is not a folder; make it first")
    camel = "".join(part.capitalize() for part in path.stem.split("_") if part)
    path.write_text(STARTS[form].format(name=camel) if form != "blank" else STARTS[form], encoding="utf-8")
    return path
