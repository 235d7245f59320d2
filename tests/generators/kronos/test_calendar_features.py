"""The five stamps of a bar, read off the calendar."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.generators.kronos.calendar_features import stamps
from stresslab.generators.kronos.transformer import STAMP_SIZES


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2024-02-29 00:00", [0, 0, 3, 29, 2]),  # a leap day, a Thursday
        ("2023-12-31 23:59:59", [59, 23, 6, 31, 12]),  # a Sunday
        ("2024-01-01 09:30", [30, 9, 0, 1, 1]),  # a Monday
        ("1969-07-20 20:17", [17, 20, 6, 20, 7]),  # before the epoch
    ],
)
def test_by_hand(stamp: str, expected: list[int]) -> None:
    """Minute, hour, weekday from Monday, day of the month, month."""
    found = stamps(pd.DatetimeIndex([stamp]))
    assert found.tolist() == [expected]
    assert found.dtype == np.int64


@given(st.lists(st.datetimes(), min_size=1, max_size=20))
def test_every_stamp_has_a_row_in_its_table(moments: list) -> None:
    """Whatever the date, no stamp reaches the size of the table that it is looked up in."""
    index = pd.DatetimeIndex([pd.Timestamp(moment).as_unit("us") for moment in moments])
    found = stamps(index)
    assert found.shape == (len(moments), 5)
    assert (found >= 0).all()
    assert (found < list(STAMP_SIZES.values())).all()
    parts = [(one.minute, one.hour, one.weekday(), one.day, one.month) for one in moments]
    assert found.tolist() == [list(one) for one in parts]


def test_no_bars() -> None:
    """No time stamps have no stamps, in the same shape."""
    assert stamps(pd.DatetimeIndex([])).shape == (0, 5)
