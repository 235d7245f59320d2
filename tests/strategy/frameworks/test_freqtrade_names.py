"""Helpers that files written for freqtrade import: the values of freqtrade's own, where it is installed."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.strategy.frameworks import freqtrade_names as ours
from tests.make.bars import make_bars

FRAME = make_bars(120).frame.reset_index(names="date").assign(date=lambda frame: frame["date"].dt.tz_localize("UTC"))


def test_crossings() -> None:
    """A crossing is on the bar on which the side changes, of a level too."""
    series = pd.Series([1.0, 3.0, 3.0, 1.0, 2.0, 4.0])
    assert ours.crossed_above(series, 2).tolist() == [False, True, False, False, False, True]
    assert ours.crossed_below(series, 2).tolist() == [False, False, False, True, False, False]
    assert ours.crossed(series, 2).tolist() == [False, True, False, True, False, True]
    assert ours.crossed(series, 2, "below").tolist() == ours.crossed_below(series, 2).tolist()


def test_longer_bars_are_known_at_their_close() -> None:
    """Of four hours, the bar that begins at 0:00 stands beside the hour that begins at 3:00, and no sooner."""
    hours = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=10, freq="h", tz="UTC"), "close": 1.0})
    longer = pd.DataFrame({"date": hours["date"][::4], "close": [10.0, 20.0, 30.0]})
    merged = ours.merge_informative_pair(hours, longer, "1h", "4h")
    assert merged["close_4h"].fillna(0).tolist() == [0, 0, 0, 10, 10, 10, 10, 20, 20, 20]
    assert "date_4h" in merged
    with pytest.raises(ValueError, match="faster timeframe"):
        ours.merge_informative_pair(hours, longer, "4h", "1h")


def test_stops_relative_to_the_entry() -> None:
    """A stop 2% above the entry, at a profit of 10%, is 1 - 1.02 / 1.1 below the price."""
    assert ours.stoploss_from_open(0.02, 0.1) == pytest.approx(1 - 1.02 / 1.1)
    assert ours.stoploss_from_open(0.2, 0.1) == 0.0
    assert ours.stoploss_from_open(0.02, -1) == 1.0
    assert ours.stoploss_from_absolute(95.0, 100.0) == pytest.approx(0.05)
    assert ours.stoploss_from_absolute(105.0, 100.0, is_short=True) == pytest.approx(0.05)
    assert ours.stoploss_from_absolute(1.0, 0.0) == 1.0


def test_parameters_have_their_defaults() -> None:
    """A parameter's value is its default, and its range that value alone."""
    assert ours.IntParameter(5, 50, default=20, space="buy").range == [20]
    assert ours.IntParameter(low=5, high=50, default=20).choices == (5, 50)
    assert ours.CategoricalParameter(["a", "b"]).value == "a"
    assert ours.BooleanParameter(default=False).value is False


def test_timeframes() -> None:
    """Minutes and seconds of a timeframe; what is none is named."""
    assert (ours.timeframe_to_minutes("1h"), ours.timeframe_to_seconds("5m")) == (60, 300)
    assert ours.timeframe_to_prev_date("1h", "2024-01-01 10:40") == pd.Timestamp("2024-01-01 10:00")
    assert ours.timeframe_to_next_date("1h", "2024-01-01 10:40") == pd.Timestamp("2024-01-01 11:00")
    assert ours.timeframe_to_msecs("5m") == 300_000
    with pytest.raises(ValueError, match="'daily' is not a timeframe"):
        ours.timeframe_to_seconds("daily")


@pytest.mark.parametrize("name", ["bollinger_bands", "heikinashi", "typical_price", "crossed_above", "rolling_std"])
def test_indicators_are_those_of_the_original(name: str) -> None:
    """The same numbers as the module of this name that freqtrade brings."""
    pytest.importorskip("freqtrade")
    theirs = importlib.import_module("freqtrade.vendor.qtpylib.indicators")
    close = FRAME["close"]
    given: dict[str, Any] = {
        "bollinger_bands": (close, 20, 2), "crossed_above": (close, close.rolling(5).mean()), "rolling_std": (close, 20)
    }  # fmt: skip
    mine = getattr(ours, name)(*given.get(name, (FRAME,)))
    other = getattr(theirs, name)(*given.get(name, (FRAME,)))
    columns = list(mine.columns) if isinstance(mine, pd.DataFrame) else None
    np.testing.assert_allclose(
        np.asarray(mine, dtype=float), np.asarray(other[columns] if columns else other, dtype=float), rtol=1e-9
    )


@pytest.mark.parametrize("inside", [True, False])
def test_merging_is_that_of_the_original(inside: bool) -> None:
    """The same columns at the same rows, filled forward or not."""
    pytest.importorskip("freqtrade")
    theirs = importlib.import_module("freqtrade.strategy").merge_informative_pair
    hours = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=30, freq="h", tz="UTC"), "close": range(30)})
    longer = pd.DataFrame({"date": hours["date"][::4], "close": range(8)})
    mine = ours.merge_informative_pair(hours, longer, "1h", "4h", ffill=inside)
    other = theirs(hours, longer, "1h", "4h", ffill=inside)
    np.testing.assert_array_equal(mine["close_4h"], other["close_4h"])
