"""Bars: what they hold and that they never change."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data import FIELDS, Bars
from tests.make.bars import make_bars


def test_shapes_and_fields(bars: Bars) -> None:
    """Values are (T, 6) in the order of FIELDS, and each field is a series over the time stamps."""
    assert bars.values.shape == (len(bars), len(FIELDS))
    assert list(bars.frame.columns) == list(FIELDS)
    for position, name in enumerate(FIELDS):
        series = getattr(bars, name)
        assert series.index.equals(bars.timestamps)
        np.testing.assert_array_equal(series.to_numpy(), bars.values[:, position])


def test_frozen(bars: Bars) -> None:
    """Neither attributes nor arrays of bars can be written, also after a pickle."""
    for one in (bars, bars[10:20], pickle.loads(pickle.dumps(bars))):
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.symbol = "other"  # type: ignore[misc] # frozen
        with pytest.raises(ValueError, match="read-only"):
            one.values[0, 0] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            one.frame.to_numpy()[0, 0] = 1.0


def test_caller_keeps_own_array() -> None:
    """An array given to the constructor stays writeable for its owner and is not shared."""
    stamps, values = pd.date_range("2024-01-01", periods=4), np.ones((4, 6))
    bars = Bars(stamps, values)
    values[0, 0] = 7.0
    assert bars.values[0, 0] == 1.0


def test_constructor_checks_shape() -> None:
    """Values that do not fit the time stamps are refused with both sizes."""
    with pytest.raises(DataError, match=r"\(3, 6\) do not fit 4 time stamps"):
        Bars(pd.date_range("2024-01-01", periods=4), np.ones((3, 6)))


def test_slices(bars: Bars) -> None:
    """A slice is bars of the same symbol; an origin cuts bars into what came up to it and what came after."""
    part = bars[100:150]
    assert len(part) == 50
    assert (part.symbol, part.notices) == (bars.symbol, bars.notices)
    np.testing.assert_array_equal(part.values, bars.values[100:150])
    origin = bars.timestamps[399]
    assert len(bars.up_to(origin)) == 400
    assert bars.up_to(str(origin)).timestamps[-1] == origin
    assert bars.after(origin).timestamps[0] == bars.timestamps[400]
    assert len(bars.up_to("1990-01-01")) == 0
    assert repr(bars[:0]) == "Bars(WALK, empty)"


@pytest.mark.parametrize("key", [3, slice(0, 10, 2)])
def test_only_runs_of_bars(bars: Bars, key: object) -> None:
    """A single bar or every other bar is not bars, and the error says what is."""
    with pytest.raises(TypeError, match="slice a:b"):
        bars[key]  # type: ignore[index] # what is refused


def test_digest(bars: Bars) -> None:
    """The digest depends on time stamps and values, on nothing else."""
    again = Bars(bars.timestamps, bars.values, "other name", "elsewhere")
    assert again.digest == bars.digest == make_bars().digest
    assert bars[1:].digest != bars.digest
    assert Bars(bars.timestamps + pd.Timedelta(hours=1), bars.values).digest != bars.digest


def test_digest_is_that_of_the_first_release() -> None:
    """Stored runs name their data by this digest, so its definition may not change."""
    bars = Bars(pd.DatetimeIndex(["2024-01-02", "2024-01-03"]), np.arange(12.0).reshape(2, 6))
    assert bars.digest == "09ea082427f4cdf8f840e729c39149a4f7e333111ca0deb45503e54bab652e81"


def test_units_of_time_do_not_matter() -> None:
    """The same instants in seconds and in nanoseconds are the same bars."""
    stamps, values = pd.date_range("2024-01-01", periods=40), np.ones((40, 6))
    assert Bars(stamps.as_unit("s"), values).digest == Bars(stamps.as_unit("ns"), values).digest
    assert Bars(stamps.as_unit("s"), values).timestamps.dtype == "datetime64[ns]"


def test_repr(bars: Bars) -> None:
    """The repr is one line with symbol, number and span."""
    assert repr(bars).startswith("Bars(WALK, 600 bars, 2015-01-01")


def test_calendar_of_bars(bars: Bars) -> None:
    """Bars know their calendar, and pass the asked exchange on to their parts."""
    assert bars.calendar is bars.calendar
    assert bars.periods_per_year == 252
    assert dataclasses.replace(bars, exchange="XNYS")[:100].exchange == "XNYS"


def test_errors_name_the_source() -> None:
    """An error about a table begins with where the table came from."""
    with pytest.raises(DataError, match=r"^my.csv: no column of time stamps among 'close'"):
        Bars.from_frame(pd.DataFrame({"close": [1.0]}), source="my.csv")
