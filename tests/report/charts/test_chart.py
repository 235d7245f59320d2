"""Axes, ticks and paths: numbers at their places."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.report.charts.chart import (
    Axis,
    Mark,
    across,
    area,
    bar,
    box,
    date_ticks,
    line,
    percent_tick,
    price_ticks,
    share_ticks,
    short,
    stamp_texts,
    time_ticks,
    upright,
)

FINITE = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20)


@given(FINITE)
def test_an_axis_holds_its_values_with_room(values: list[float]) -> None:
    """All lie strictly inside, none before a smaller one; what is not finite does not count."""
    axis = Axis.around(values, [np.nan, np.inf])
    places = axis.at(values)
    assert ((places > 0) & (places < 1)).all()
    assert (np.diff(places[np.argsort(values)]) >= 0).all()


def test_wide_prices_have_a_logarithmic_axis() -> None:
    """More than threefold and above zero; equal ratios are then equally far apart."""
    axis = Axis.around([1.0, 10.0, 100.0], log=True)
    assert axis.log
    low, middle, high = axis.at([1.0, 10.0, 100.0])
    assert middle - low == pytest.approx(high - middle)
    assert not Axis.around([1.0, 2.9], log=True).log
    assert not Axis.around([-1.0, 10.0], log=True).log
    assert not Axis.around([1.0, 100.0]).log


def test_nothing_has_an_axis_too() -> None:
    """Of no value from 0 to 1 or about; of one value around it."""
    assert Axis.around([]).at([0.5])[0] == pytest.approx(0.5)
    assert Axis.around([7.0]).at([7.0])[0] == pytest.approx(0.5)


def test_paths_by_hand() -> None:
    """In a square of 1000, from the upper left corner; far outside it they end a little beyond the edge."""
    assert line(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.25, 1.0])) == "M0 1000L500 750L1000 0"
    assert area(np.array([0.0, 1.0]), np.array([0.0, 0.0]), np.array([1.0, 1.0])) == "M0 0L1000 0L1000 1000L0 1000Z"
    assert box(0.1, 0.2, 0.0, 0.5) == "M100 1000V500H200V1000Z"
    assert upright(0.5, 0.0, 1.0) == "M500 1000V0"
    assert across(0.25, 0.0, 1.0) == "M0 750H1000"
    assert bar(0.0, 0.5, 0.25) == "M1.2 1000V750H498.8V1000Z"
    assert upright(9.0, -5.0, 0.5) == "M1050 1050V500"


@pytest.mark.parametrize(
    ("fraction", "text"), [(-0.05, "-5%"), (0.025, "2.5%"), (0.0, "0%"), (12.0, "1,200%"), (0.1 + 0.2, "30%")]
)
def test_percent_on_an_axis(fraction: float, text: str) -> None:
    """Without the digits of rounding."""
    assert percent_tick(fraction) == text


def test_ticks_stand_where_their_numbers_are() -> None:
    """Shares and prices at round numbers; every second share may be left out."""
    axis = Axis(0.0, 1.0)
    ticks = share_ticks(axis)
    assert [tick.at for tick in ticks] == pytest.approx([float(tick.label.rstrip("%")) for tick in ticks])
    assert [tick.minor for tick in ticks] == [bool(at % 2) for at in range(len(ticks))]
    prices = price_ticks(Axis(900.0, 1100.0))
    assert all(float(tick.label.replace(",", "")) == pytest.approx(900 + 2 * tick.at) for tick in prices)


def test_dates_are_spread_over_the_time() -> None:
    """From the first to the last, evenly; the time of day only where bars have different ones."""
    days = pd.date_range("2020-01-01", "2020-12-31")
    ticks = date_ticks(days)
    assert [ticks[0].label, ticks[-1].label] == ["2020-01-01", "2020-12-31"]
    np.testing.assert_allclose(np.diff([tick.at for tick in ticks]), 20)
    assert stamp_texts(days[:2]) == ["2020-01-01", "2020-01-02"]
    hours = pd.date_range("2020-01-01", periods=3, freq="h")
    assert all("01:00" in text for text in stamp_texts(hours)[1:2])
    along = time_ticks(stamp_texts(days), Axis(0, 365), 0)
    assert (along[0].at, along[-1].at) == (0, 100)


def test_labels_turn_to_the_inside() -> None:
    """Right of a line in the left half, left of one in the right half."""
    assert [Mark(at, "x", "origin").leftwards for at in (10, 50, 90)] == [False, False, True]


def test_numbers_of_the_page_are_short() -> None:
    """Six digits, and nothing for what is no number."""
    assert short(1 / 3) == 0.333333
    assert short(123456789.0) == 123457000.0
    assert [short(value) for value in (None, float("nan"), float("inf"))] == [None] * 3
