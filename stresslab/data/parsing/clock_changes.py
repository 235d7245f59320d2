"""Hours that stand twice because clocks were set back: which zone's nights they are, and the bars in one steady time.

Time stamps without a zone only; those that name one are read in `timestamps`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.arrays import BoolArray

ZONES = (
    "America/New_York", "Europe/London", "Europe/Berlin", "Europe/Athens", "Australia/Sydney", "Pacific/Auckland",
    "America/Sao_Paulo", "America/Santiago", "Asia/Jerusalem",
)  # fmt: skip
"""One zone for each rule by which clocks are set back at an hour of the night; all of North America has one."""
HOUR = pd.Timedelta(hours=1)


class ClockChange(NamedTuple):
    """Nights in which clocks were set back, found in time stamps.

    Attributes:
        zone: a zone whose rule explains them all.
        nights: the beginnings of the hours that stand twice.
        steady: (T,) the time stamps in that zone's standard time, which has no such hours.
        doubled: how many bars lie in the second of such hours.
    """

    zone: str
    nights: pd.DatetimeIndex
    steady: pd.DatetimeIndex
    doubled: int


def clock_change(stamps: pd.DatetimeIndex) -> ClockChange | None:
    """The change of clocks that explains every time stamp that does not come after the one before it.

    Args:
        stamps: (T,) naive, in the order of the source, oldest first.

    Returns:
        None where none of `ZONES` explains them, or all are in order.
    """
    values = stamps.as_unit("ns").asi8
    again = np.concatenate([[False], np.diff(values) <= 0])
    if not again.any():
        return None
    for zone in ZONES:
        nights = hours_twice(zone, stamps[0], stamps[-1])
        if not len(nights):
            continue
        place = np.searchsorted(nights.asi8, values, side="right") - 1
        inside = (place >= 0) & (values < nights.asi8[np.maximum(place, 0)] + HOUR.value)
        if not inside[again].all():
            continue
        try:
            second = _second_hours(stamps, inside, place, again)
            steady = _steady(stamps, zone, second)
        except ValueError:  # a time that this zone does not have
            continue
        if (np.diff(np.sort(steady.asi8)) > 0).all():
            return ClockChange(zone, nights[np.unique(place[again])], steady, int(second.sum()))
    return None


def hours_twice(zone: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """The beginnings of the hours that a zone's wall clock shows twice, a day before `first` to a day after `last`."""
    day = pd.Timedelta(days=1)
    utc = pd.date_range((first - day).floor("h"), last + day, freq="h", tz="UTC")
    wall = utc.tz_convert(zone).tz_localize(None).as_unit("ns")
    return wall[1:][np.diff(wall.asi8) <= 0]


def _second_hours(stamps: pd.DatetimeIndex, inside: BoolArray, place: NDArray[np.int64], again: BoolArray) -> BoolArray:
    """Which stamps (T,) lie in the second of the hours that stand twice, in standard time."""
    second = stamps.duplicated(keep="first") & inside
    for night in np.unique(place[again]):  # and what comes after the step back, where a minute had no bar before it
        rows = np.flatnonzero(inside & (place == night))
        back = rows[again[rows] & (np.diff(stamps.asi8, prepend=stamps.asi8[0])[rows] < 0)]
        if len(back) == 1:
            second[rows] = rows >= back[0]
    return second


def _steady(stamps: pd.DatetimeIndex, zone: str, second: BoolArray) -> pd.DatetimeIndex:
    """The stamps in standard time; `ValueError` where the zone does not have one of them."""
    known = stamps.tz_localize(zone, ambiguous=~second, nonexistent="raise")
    utc = known.tz_convert("UTC").tz_localize(None).as_unit("ns")
    ahead = stamps.as_unit("ns") - utc
    return utc + ahead.min()
