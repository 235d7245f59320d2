"""What looks wrong in bars that keep every rule is said, with the place; sound bars are left in peace."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stresslab.data import Bars
from tests.make.bars import make_bars

COUNT = 400


def _doubts(frame: pd.DataFrame) -> list[str]:
    return [line for line in Bars.from_frame(frame).notices if not line.startswith("no ")]


@pytest.mark.parametrize("freq", ["B", "D", "h", "15min", "W-FRI", "MS"])
def test_sound_bars_are_left_in_peace(freq: str) -> None:
    """Bars of any frequency without a fault get no line."""
    start = "1990-01-01" if freq == "MS" else "2015-01-01"
    bars = make_bars(COUNT, freq=freq, start=start)
    assert not [line for line in bars.notices if not line.startswith("no ")]


@pytest.mark.parametrize(("freq", "cut", "lacking"), [("h", 500, 500), ("D", 30, 30), ("B", 20, 20), ("W-FRI", 4, 4)])
def test_a_hole_is_said_with_the_bars_it_lacks(freq: str, cut: int, lacking: int) -> None:
    """Missing bars are counted by the market's own rhythm, and both ends are named."""
    frame = make_bars(COUNT + cut, freq=freq).frame
    holed = pd.concat([frame[:250], frame[250 + cut :]])
    (line,) = _doubts(holed)
    assert f"{frame.index[249]} to {frame.index[250 + cut]} lacks {lacking} bars" in line


def test_years_missing_in_bars_of_sessions_are_a_hole() -> None:
    """Eight years between two hourly bars of a market with sessions do not pass; nights and weekends do."""
    days = pd.bdate_range("2004-01-05", periods=700)
    kept = days[(days < "2004-06-01") | (days > "2006-01-01")]
    stamps = pd.DatetimeIndex([day + pd.Timedelta(hours=hour) for day in kept for hour in range(9, 16)])
    frame = make_bars(len(stamps), freq="h").frame.set_axis(stamps)
    (line,) = _doubts(frame)
    assert "1 hole" in line
    assert "2004-05-31 15:00:00 to 2006-01-02 09:00:00" in line
    whole = pd.DatetimeIndex([day + pd.Timedelta(hours=hour) for day in days for hour in range(9, 16)])
    assert not _doubts(make_bars(len(whole), freq="h").frame.set_axis(whole))


@pytest.mark.parametrize("name", ["high", "low"])
@pytest.mark.parametrize("factor", [1.5, 10.0, 100.0])
def test_a_lone_extreme_is_named(name: str, factor: float) -> None:
    """A high (or low) far from its bar and its neighbours is named with row and value."""
    frame = make_bars(COUNT).frame.copy()
    at = frame.columns.get_loc(name)
    frame.iloc[200, at] *= factor if name == "high" else 1 / factor
    (line,) = _doubts(frame)
    assert line.startswith(f"warning: row 201 ({frame.index[200]}): {name}={frame.iloc[200, at]:.10g} ")


def test_a_crash_that_goes_on_is_no_lone_extreme() -> None:
    """A low that the next bars trade at is the market's."""
    frame = make_bars(COUNT).frame.copy()
    frame.iloc[201:, :4] *= 0.7
    frame.iloc[200, 2] = frame.iloc[201, 2]
    assert not _doubts(frame)


def test_filled_weekends_are_named() -> None:
    """Flat bars without volume on two days of the week are called filled in, by the days."""
    frame = make_bars(COUNT).frame
    filled = frame.reindex(pd.date_range(frame.index[0], frame.index[-1], freq="D"))
    filled["close"] = filled["close"].ffill()
    for name in ("open", "high", "low"):
        filled[name] = filled[name].fillna(filled["close"])
    filled["volume"] = filled["volume"].fillna(0.0)
    count = len(filled) - len(frame)
    (line,) = _doubts(filled.drop(columns="amount"))
    assert line.startswith(f"warning: {count} of {len(filled)} bars are flat without volume")
    assert "Saturdays and Sundays" in line
    (line,) = _doubts(filled[["open", "high", "low", "close"]])  # of a source that has no volume at all
    assert "Saturdays and Sundays" in line


def test_a_suspension_is_counted() -> None:
    """Flat bars without volume in a row are bars in which nobody traded."""
    frame = make_bars(COUNT).frame.copy()
    frame.iloc[200:211, :4] = frame.iloc[199, 3]
    frame.iloc[200:211, 4:] = 0.0
    (line,) = _doubts(frame)
    assert line.startswith(f"warning: 11 of {COUNT} bars are flat without volume")
    assert "fill" in line


def test_prices_that_never_move_are_named() -> None:
    """One price in all bars, and one in a long stretch, are said."""
    frame = make_bars(COUNT).frame.copy()
    still = frame.copy()
    still.iloc[100:180, :4] = still.iloc[99, 3]
    (line,) = _doubts(still)
    assert "stands still in 80 bars from row 101 " in line
    frame.iloc[:, :4] = 100.0
    (line,) = _doubts(frame)
    assert line.startswith(f"warning: the price never moves: {COUNT} bars at 100")


def test_bars_after_now_are_named() -> None:
    """A time stamp in the future is a wrong unit or century."""
    (line,) = [one for one in make_bars(COUNT, start="2131-01-01").notices if not one.startswith("no ")]
    assert f"{COUNT} bars lie after now" in line


def test_an_unfinished_last_bar_is_named() -> None:
    """A last bar off the rhythm, and one that has just begun, are not over."""
    frame = make_bars(COUNT, freq="h").frame
    early = frame.set_axis(frame.index[:-1].append(frame.index[-2:-1] + pd.Timedelta(minutes=12)))
    (line,) = _doubts(early)
    assert "comes 12 minutes after the one before it, not 1 hour" in line
    now = pd.Timestamp.now("UTC").tz_localize(None).floor("h")
    (line,) = _doubts(frame.set_axis(pd.date_range(end=now, periods=COUNT, freq="h")))
    assert "may not be over" in line


def test_the_values_stay() -> None:
    """Nothing is changed by what is said."""
    frame = make_bars(COUNT).frame.copy()
    frame.iloc[200, 1] *= 100.0
    np.testing.assert_array_equal(Bars.from_frame(frame).values, frame.to_numpy())
