"""Hours that stand twice: named by the zone whose clocks were set back, and kept both where that was asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data.bars import Bars
from stresslab.data.parsing.clock_changes import ZONES, clock_change, hours_twice

SOUTH = ("2021-03-20", "2023-04-20")
SPANS = {
    "America/Sao_Paulo": ("2016-01-20", "2018-03-10"), "Australia/Sydney": SOUTH, "Pacific/Auckland": SOUTH,
    "America/Santiago": SOUTH,
}  # fmt: skip


def wall_clock(zone: str, step: str = "h", start: str = "2021-09-20", end: str = "2022-11-20") -> pd.DatetimeIndex:
    """What a clock on the wall shows, step by step."""
    utc = pd.date_range(start, end, freq=step, tz="UTC")
    return utc.tz_convert(zone).tz_localize(None)


def walk(stamps: pd.DatetimeIndex) -> pd.DataFrame:
    """A table of bars at time stamps."""
    close = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(size=len(stamps)) * 1e-4))
    return pd.DataFrame({"timestamp": stamps, "open": close, "high": close, "low": close, "close": close})


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("step", ["h", "30min", "5min"])
def test_every_zone(zone: str, step: str) -> None:
    """Each rule is recognised by its nights, and the bars stand in standard time, evenly."""
    stamps = wall_clock(zone, step, *SPANS.get(zone, ("2021-09-20", "2022-11-20")))
    found = clock_change(stamps)
    assert found is not None
    assert found.zone == zone
    assert len(found.nights) >= 2
    assert (np.diff(found.steady.asi8) == pd.Timedelta("1" + step if step == "h" else step).value).all()


def test_north_america_has_one_rule() -> None:
    """All its zones change at two in the morning of the same days."""
    found = clock_change(wall_clock("America/Chicago", "15min"))
    assert found is not None
    assert found.zone == "America/New_York"
    assert found.nights.tolist() == [pd.Timestamp("2021-11-07 01:00"), pd.Timestamp("2022-11-06 01:00")]


def test_hours_twice() -> None:
    """An hour a year, at the rule's time."""
    nights = hours_twice("Europe/Berlin", pd.Timestamp("2019-05-01"), pd.Timestamp("2021-05-01"))
    assert nights.tolist() == [pd.Timestamp("2019-10-27 02:00"), pd.Timestamp("2020-10-25 02:00")]


def test_hours_that_were_sorted_or_have_holes() -> None:
    """Both hours are told apart when their rows were sorted into one another, and when some have no bar."""
    stamps = wall_clock("Europe/Berlin", "30min")
    steady = pd.date_range("2021-09-20 01:00", periods=len(stamps), freq="30min")
    found = clock_change(stamps.sort_values())
    assert found is not None
    assert found.steady.sort_values().equals(steady.as_unit("ns"))
    holes = np.ones(len(stamps), dtype=bool)
    holes[np.flatnonzero(stamps == "2021-10-31 02:00")[0]] = False  # its first, in summer time
    found = clock_change(stamps[holes])
    assert found is not None
    assert found.steady.equals(steady[holes].as_unit("ns"))


@pytest.mark.parametrize(
    "stamps",
    [
        pd.date_range("2022-01-01", periods=2000, freq="h"),
        wall_clock("Europe/Berlin").append(pd.DatetimeIndex(["2022-11-19 12:00"])),
        pd.date_range("2022-10-30", periods=2, freq="h").append(pd.date_range("2022-10-30 00:30", periods=9, freq="h")),
        wall_clock("Europe/Berlin").append(wall_clock("America/New_York", start="2022-11-21", end="2023-12-01")),
    ],
)
def test_what_no_clock_explains(stamps: pd.DatetimeIndex) -> None:
    """Stamps in order, other repetitions, and those of two zones are no change of clocks."""
    assert clock_change(stamps) is None


def test_named_and_kept() -> None:
    """The error names the night, the zone and the remedy; with repair no bar is lost."""
    table = walk(wall_clock("Europe/London"))
    with pytest.raises(DataError) as caught:
        Bars.from_frame(table)
    row = int(np.flatnonzero(np.diff(table["timestamp"].astype("int64")) <= 0)[0]) + 2
    assert str(caught.value) == (
        f"row {row} (2021-10-31 01:00:00): clocks were set back as in Europe/London, and the hour from "
        "2021-10-31 01:00 and 1 more stands twice; export the bars in UTC, or load with repair=True to keep both "
        "hours, in that zone's standard time"
    )
    bars = Bars.from_frame(table, repair=True)
    assert bars.timestamps.equals(pd.date_range("2021-09-20", "2022-11-20", freq="h").as_unit("ns"))
    assert bars.close.tolist() == table["close"].tolist()
    assert bars.repaired == 2
    assert any(notice.startswith("repaired: clocks were set back as in Europe/London") for notice in bars.notices)
