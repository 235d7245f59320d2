"""Several series on common time stamps: nothing is lost unsaid, and what does not fit is one clear line."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError
from stresslab.data.bars import Bars
from stresslab.data.market import Market
from tests.make.bars import make_bars


def named(symbol: str, seed: int = 0, count: int = 300, freq: str = "B", start: str = "2020-01-01") -> Bars:
    """Bars of a name."""
    return replace(make_bars(count, seed=seed, freq=freq, start=start), symbol=symbol, notices=())


def half_past(bars: Bars) -> Bars:
    """The bars half an hour later."""
    return replace(bars, timestamps=bars.timestamps + pd.Timedelta("30min"))


def test_aligned_series_stay_as_they_are() -> None:
    """Series with the same time stamps lose nothing and say nothing."""
    market = Market.align([named("A"), named("B", 1)])
    assert market.symbols == ("A", "B")
    assert len(market) == 300
    assert market.notices == ()
    np.testing.assert_array_equal(market["B"].values, named("B", 1).values)
    assert market.values.shape == (2, 300, 6)
    assert not market.values.flags.writeable


def test_a_missing_bar_is_merged_into_the_next() -> None:
    """Where one series lacks a bar, the others' bar is merged into their next: the close-to-close return is whole."""
    full, gappy = named("A"), named("B", 1)
    keep = np.r_[0:100, 103:300]
    gappy = replace(gappy, timestamps=gappy.timestamps[keep], values=gappy.values[keep])
    market = Market.align([full, gappy])
    merged, old = market["A"].values[100], full.values[100:104]
    assert len(market) == 297
    assert merged[0] == old[0, 0]
    assert merged[3] == old[-1, 3]
    assert merged[1] == old[:, 1].max()
    assert merged[2] == old[:, 2].min()
    np.testing.assert_allclose(merged[4:], old[:, 4:].sum(axis=0))
    assert market.notices == ("A: of 300 bars, 3 bars at times that others lack are merged into the next common bar",)


def test_a_stock_among_markets_that_never_close() -> None:
    """The weekend of a 24/7 market ends in its Monday, and a warning counts its bars."""
    coin, stock = named("COIN", 2, 700, "D"), named("STOCK", 3, 500, "B")
    market = Market.align([coin, stock])
    assert set(market.timestamps.day_of_week) == set(range(5))
    assert market.calendar.pattern == "weekdays"
    assert any(
        line.startswith("warning: COIN:") and "merged into the next common bar" in line for line in market.notices
    )
    monday = int(np.flatnonzero(market.timestamps.day_of_week == 0)[1])
    position = coin.timestamps.get_loc(market.timestamps[monday])
    assert market["COIN"].values[monday, 0] == coin.values[position - 2, 0]  # Saturday's open
    assert market["COIN"].values[monday, 3] == coin.values[position, 3]


def test_what_lies_outside_the_common_span_is_counted() -> None:
    """Bars before or after the common span are left out, and said to be."""
    market = Market.align([named("A"), named("B", 1)[50:280]])
    assert len(market) == 230
    assert market.notices == ("A: of 300 bars, 70 bars before or after the common span are left out",)


def test_daily_bars_are_matched_by_date() -> None:
    """Days that are stamped at different hours are the same days."""
    early, late = named("A"), named("B", 1)
    late = replace(late, timestamps=late.timestamps + pd.Timedelta(hours=16))
    market = Market.align([early, late])
    assert len(market) == 300
    assert "matched by date" in market.notices[-1]


@pytest.mark.parametrize(
    ("series", "line"),
    [
        ([], "a market of no series"),
        ([named("A"), named("A", 1)], "two series are called 'A'; rename one of their files"),
        ([named("A"), named("B", 1), named("A")], "'A' is given twice; leave one of the two out"),
        ([named("A"), named("B", 1, freq="h")], "A has bars of 1 day, B of 1 hour; give all symbols at one frequency"),
        ([named("A"), named("B", 1, start="2030-01-01")], "they have no bar in common; leave one of them out"),
        (
            [named("A", freq="h"), half_past(named("B", freq="h"))],
            "the 2 series have 0 time stamps in common; give series stamped at the same times",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused(series: list[Bars], line: str) -> None:
    """One line names the series and the remedy."""
    with pytest.raises(DataError) as error:
        Market.align(series)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_symbol_is_named() -> None:
    """A symbol that is not there is refused with those that are."""
    with pytest.raises(DataError, match=r"symbol 'C' is not in this market; it has A, B"):
        Market.align([named("A"), named("B", 1)])["C"]


def test_notices_of_one_series_carry_its_name() -> None:
    """What was noticed of one series names it; what is the same of all is said once."""
    one, other = replace(named("A"), notices=("same", "warning: odd")), replace(named("B", 1), notices=("same",))
    assert Market.align([one, other]).notices == ("same", "warning: A: odd")


def test_cut_pickled_and_told_apart() -> None:
    """A part, a copy in another process, and a digest that changes with any bar."""
    market = Market.align([named("A"), named("B", 1)])
    assert len(market.up_to(market.timestamps[99])) == 100
    assert len(market.after(market.timestamps[99])) == 200
    assert pickle.loads(pickle.dumps(market)).digest == market.digest != market[:299].digest
