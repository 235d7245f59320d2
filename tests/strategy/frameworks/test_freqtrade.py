"""An IStrategy as it is: its parameters, its columns, longer bars, and what is refused or said by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stresslab.backtest import Costs, Terms, backtest
from stresslab.core.errors import StrategyError
from stresslab.data.universes import Universes
from stresslab.strategy import Strategy, load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.frameworks.freqtrade import is_theirs
from stresslab.strategy.frameworks.freqtrade_names import IStrategy
from stresslab.strategy.lookahead.check import find_lookahead
from tests.make.bars import make_bars

BARS = make_bars(400)
HEAD = """
from pandas import DataFrame
import freqtrade.vendor.qtpylib.indicators as qtpylib
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy, IntParameter, informative, merge_informative_pair, stoploss_from_open
"""
CROSS = """
class Cross(IStrategy):
    timeframe = "1d"
    stoploss = -0.05
    minimal_roi = {"0": 0.05}
    window = IntParameter(5, 50, default=10)
    far = 1.0

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["mean"] = dataframe["close"].rolling(self.window.value).mean() * self.far
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[qtpylib.crossed_above(dataframe["close"], dataframe["mean"]), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["close"] < dataframe["mean"], "exit_long"] = 1
        return dataframe
"""


def load(tmp_path: Path, body: str, **parameters: Any) -> Strategy:
    """The one strategy in a file."""
    path = tmp_path / "mine.py"
    path.write_text(HEAD + body)
    (strategy,) = load_strategies(str(path), parameters)
    return strategy


def trades(strategy: Strategy) -> int:
    """How often it trades on the real bars."""
    universes, terms = Universes.from_bars(BARS, BARS[:0]), Terms(Costs(0.0, 0.0), warmup=0)
    return int(backtest(detect_call_style(strategy, BARS), universes, terms, periods_per_year=252).trades[0])


def test_a_class_runs_as_it_is(tmp_path: Path) -> None:
    """Its parameters are its own numbers, its searched parameters and its stops; universes run one by one."""
    strategy = load(tmp_path, CROSS, window=20)
    assert strategy.parameters["window"] == 20
    assert strategy.parameters["far"] == 1.0
    assert strategy.parameters["stoploss"] == -0.05
    assert strategy.parameters["timeframe"] == "1d"
    assert detect_call_style(strategy, BARS).form.shape == "series"
    assert trades(strategy) > 5
    assert trades(strategy) != trades(load(tmp_path, CROSS, window=5))


def test_its_base_is_recognised() -> None:
    """A class that extends IStrategy, and not the base itself."""
    assert is_theirs(type("Mine", (IStrategy,), {}))
    assert not is_theirs(IStrategy)
    assert not is_theirs(3)


def test_a_leak_of_its_columns_is_found(tmp_path: Path) -> None:
    """An indicator that looks one bar ahead is found by the signals that it moves."""
    leaky = CROSS.replace(".mean() * self.far", ".mean().shift(-1)")
    assert find_lookahead(detect_call_style(load(tmp_path, CROSS), BARS), BARS).found == []
    assert find_lookahead(detect_call_style(load(tmp_path, leaky), BARS), BARS).found


def test_a_leak_that_only_callbacks_see_is_found(tmp_path: Path) -> None:
    """What a callback reads of the analysed bars counts as a decision at their close."""
    body = (
        CROSS.replace("far = 1.0", "use_exit_signal = True").replace(" * self.far", "")
        + """
    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
        frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        return "out" if frame["next"].iloc[-1] < current_rate else None
"""
    )
    body = body.replace('        return dataframe\n', '        dataframe["next"] = dataframe["close"].shift(-1)\n'
                        '        return dataframe\n', 1)  # fmt: skip
    assert find_lookahead(detect_call_style(load(tmp_path, body), BARS), BARS).found


def test_former_names_are_understood(tmp_path: Path) -> None:
    """Buy and sell columns, populate_buy_trend and use_sell_signal are those of version 3."""
    old = CROSS.replace("entry_trend", "buy_trend").replace("exit_trend", "sell_trend")
    old = old.replace('"enter_long"', '"buy"').replace('"exit_long"', '"sell"')
    assert trades(load(tmp_path, old)) == trades(load(tmp_path, CROSS))
    held = old.replace("far = 1.0", "far = 1.0\n    use_sell_signal = False")
    assert trades(load(tmp_path, held)) < trades(load(tmp_path, old))


@pytest.mark.parametrize("way", ["decorator", "pair"])
def test_longer_bars_of_the_same_pair(tmp_path: Path, way: str) -> None:
    """Weekly bars are made of the days, each known at its close."""
    marked = """
    @informative("1w")
    def populate_weeks(self, dataframe, metadata):
        dataframe["up"] = dataframe["close"] > dataframe["open"]
        return dataframe
"""
    merged = """
        weeks = self.dp.get_pair_dataframe(pair=metadata["pair"], timeframe="1w")
        weeks["up"] = weeks["close"] > weeks["open"]
        dataframe = merge_informative_pair(dataframe, weeks, self.timeframe, "1w", ffill=True)
        return dataframe
"""
    body = CROSS.replace('dataframe["close"] < dataframe["mean"]', 'dataframe["up_1w"] == False')
    body = body + marked if way == "decorator" else body.replace("\n        return dataframe\n", merged, 1)
    strategy = load(tmp_path, body)
    assert trades(strategy) > 5
    report = find_lookahead(detect_call_style(strategy, BARS), BARS)
    assert (report.found, report.inconclusive) == ([], False)


@pytest.mark.parametrize(("change", "text"), [
    (("far = 1.0", "far = 1.0\n    def custom_entry_price(self, **_): return 1.0"), "defines custom_entry_price"),
    (("populate_entry_trend", "other"), "has no populate_entry_trend"),
    (('dataframe["mean"] =', 'self.dp.orderbook(1)\n        dataframe["mean"] ='), "dp.orderbook needs an exchange"),
    (('dataframe["mean"] =', 'self.dp.get_pair_dataframe("BTC/USDT", "1w")\n        dataframe["mean"] ='),
     "BTC/USDT is not among the symbols given"),
    (('dataframe["mean"] =', 'self.dp.get_pair_dataframe("".join(["BTC", "-X"]), "1w")\n        dataframe["mean"] ='),
     "asks for bars of BTC-X, which its source does not name"),
    (('dataframe["mean"] =', 'self.dp.get_pair_dataframe(metadata["pair"], "1h")\n        dataframe["mean"] ='),
     "asks for bars of 1h, and the data has 1d"),
    (("        return dataframe\n", "        return dataframe.dropna()\n"), "returned .* rows of .*; drop no rows"),
])  # fmt: skip
def test_what_bars_do_not_have_is_refused(tmp_path: Path, change: tuple[str, str], text: str) -> None:
    """Each in one line with what to do."""
    with pytest.raises(StrategyError, match=text):
        detect_call_style(load(tmp_path, CROSS.replace(*change)), BARS)


def test_another_timeframe_is_said(tmp_path: Path) -> None:
    """A class of hours on days runs, and says what it is written for."""
    strategy = detect_call_style(load(tmp_path, CROSS.replace('"1d"', '"1h"')), BARS)
    assert any("written for bars of 1h, and these are of 1d" in text for text in strategy.log.warnings)
    assert not detect_call_style(load(tmp_path, CROSS), BARS).log.warnings


def test_values_of_its_own_search_are_used(tmp_path: Path) -> None:
    """`buy_params` of the class stand for the defaults of its parameters, as freqtrade reads them."""
    strategy = load(tmp_path, CROSS.replace("far = 1.0", 'buy_params = {"window": 33}'))
    assert strategy.parameters["window"] == 33


def test_a_startup_longer_than_the_bars_decides_nothing(tmp_path: Path) -> None:
    """And is no look-ahead where bars are taken away."""
    strategy = detect_call_style(load(tmp_path, CROSS, startup_candle_count=150), BARS)
    assert find_lookahead(strategy, BARS, patience=1.0).found == []
    panel = strategy.panel(Universes.from_bars(BARS[:100], BARS[:0]), 0)
    assert all(np.isnan(array).all() for array in strategy.decide(panel).levels.values())


def test_no_bar_before_the_startup(tmp_path: Path) -> None:
    """Signals of the first `startup_candle_count` bars are not traded."""
    strategy = detect_call_style(load(tmp_path, CROSS, startup_candle_count=100), BARS)
    decisions = strategy.decide(strategy.panel(Universes.from_bars(BARS, BARS[:0]), 0))
    filled = np.flatnonzero(~np.isnan(decisions.levels["lane_0"][:, 0]))
    assert filled[0] > 100
