"""The rules of bars: each planted fault is caught by name, and repaired only when asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.core.errors import DataError
from stresslab.data import Bars
from stresslab.data.parsing.plausibility import SPLITS
from stresslab.data.parsing.validation import MINIMUM_BARS, TOLERANCE
from tests.make.bars import make_bars

COUNT = 80
CLEAN = make_bars(COUNT).frame.rename_axis("timestamp").reset_index()

Fault = Callable[[pd.DataFrame, int], pd.DataFrame]


def _set(column: str, value: float) -> Fault:
    def plant(frame: pd.DataFrame, row: int) -> pd.DataFrame:
        frame.loc[row, column] = value
        return frame

    return plant


def _swap(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    stamps = frame["timestamp"].to_numpy().copy()
    stamps[[row - 1, row]] = stamps[[row, row - 1]]
    return frame.assign(timestamp=stamps)


def _repeat(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    frame.loc[row, "timestamp"] = frame.loc[row - 1, "timestamp"]
    return frame


def _low_high(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    frame.loc[row, "high"] = max(frame.loc[row, "open"], frame.loc[row, "close"]) * 0.99
    return frame


def _high_low(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    frame.loc[row, "low"] = min(frame.loc[row, "open"], frame.loc[row, "close"]) * 1.01
    return frame


FAULTS: dict[str, tuple[Fault, str]] = {
    "nan close": (_set("close", np.nan), r"close=nan is not a number"),
    "nan volume": (_set("volume", np.nan), r"volume=nan is not a number"),
    "infinite open": (_set("open", np.inf), r"open=inf is not a number"),
    "zero low": (_set("low", 0.0), r"low=0 is not above 0"),
    "negative close": (_set("close", -37.63), r"close=-37.63 is not above 0"),
    "low high": (_low_high, r"high=\S+ is below max\(open, close\)"),
    "high low": (_high_low, r"low=\S+ is above min\(open, close\)"),
    "negative volume": (_set("volume", -5.0), r"volume=-5 is below 0"),
    "negative amount": (_set("amount", -5.0), r"amount=-5 is below 0"),
    "missing stamp": (
        lambda frame, row: frame.assign(timestamp=frame.timestamp.mask(frame.index == row)),
        "no time stamp",
    ),
    "duplicate": (_repeat, "duplicate time stamp"),
    "disorder": (_swap, "comes after .*must increase"),
}
BEYOND_REPAIR = ("zero low", "negative close")


@given(row=st.integers(2, COUNT - 2), fault=st.sampled_from(sorted(FAULTS)))
@settings(max_examples=150)
def test_each_fault_is_caught(row: int, fault: str) -> None:
    """A fault in any row is refused in one line that names row, value, rule and remedy."""
    plant, words = FAULTS[fault]
    with pytest.raises(DataError, match=words) as caught:
        Bars.from_frame(plant(CLEAN.copy(), row))
    text = str(caught.value)
    assert "\n" not in text
    assert f"row {row + 1} " in text
    assert "correct the" in text


@given(row=st.integers(2, COUNT - 2), fault=st.sampled_from(sorted(set(FAULTS) - set(BEYOND_REPAIR))))
@settings(max_examples=150)
def test_each_repair_is_counted_and_told(row: int, fault: str) -> None:
    """With repair=True a faulty row is repaired, counted and told of, and the other bars stay as they are."""
    bars = Bars.from_frame(FAULTS[fault][0](CLEAN.copy(), row), repair=True)
    assert bars.repaired == 1
    assert sum(notice.startswith("repaired: 1 ") for notice in bars.notices) == 1
    assert (bars.high >= bars.frame[["open", "close"]].max(axis=1)).all()
    assert (bars.low <= bars.frame[["open", "close"]].min(axis=1)).all()
    assert (bars.values >= 0).all()
    same = np.delete(CLEAN.index, row) if fault != "disorder" else CLEAN.index.difference([row - 1, row])
    kept = bars.frame.loc[bars.timestamps.intersection(pd.DatetimeIndex(CLEAN["timestamp"].iloc[same]))]
    expected = CLEAN.set_index("timestamp").loc[kept.index]
    changed = kept.index.isin([CLEAN["timestamp"].iloc[row - 1]]) if fault == "duplicate" else np.zeros(len(kept), bool)
    pd.testing.assert_frame_equal(kept[~changed], expected[~changed], check_names=False)


@pytest.mark.parametrize("fault", BEYOND_REPAIR)
def test_prices_are_never_invented(fault: str) -> None:
    """A price that is not positive is refused even with repair=True, and the remedy is another range."""
    with pytest.raises(DataError, match=r"is not above 0.*since=/until="):
        Bars.from_frame(FAULTS[fault][0](CLEAN.copy(), 40), repair=True)


def test_first_row_of_several_is_named() -> None:
    """When a rule is broken often, the error names the first row and counts the others."""
    frame = CLEAN.copy()
    frame.loc[[30, 10, 50], "volume"] = -1.0
    with pytest.raises(DataError, match=r"row 11 .*\(and in 2 more rows\)"):
        Bars.from_frame(frame)


def test_rows_before_since_are_not_checked() -> None:
    """A fault outside the asked range does not matter, and inside it keeps its row number of the file."""
    frame = _set("close", -1.0)(CLEAN.copy(), 10)
    assert len(Bars.from_frame(frame, since=frame.timestamp[11])) == COUNT - 11
    with pytest.raises(DataError, match="row 11 "):
        Bars.from_frame(frame, since=frame.timestamp[5])


def test_mixed_frequencies_name_the_row_of_the_source() -> None:
    """Where a series changes its frequency is told by the row's number in the source, also after a cut by dates."""
    days, hours = make_bars(200, freq="D").frame, make_bars(300, start="2016-01-01", freq="h").frame
    frame = pd.concat([days, hours]).rename_axis("timestamp").reset_index()
    for since in (None, "2015-03-01"):
        with pytest.raises(
            DataError, match=r"row (\d+) .*: mixed frequencies, bars of 1 day .* among bars of 1 hour"
        ) as caught:
            Bars.from_frame(frame, since=since)
        row = int(str(caught.value).split()[1])
        assert f"({frame.timestamp[row - 1]})" in str(caught.value)


@given(noise=st.floats(1e-12, 0.9 * TOLERANCE), side=st.sampled_from(["high", "low"]), scale=st.floats(1e-6, 1e6))
def test_rounding_is_tolerated_and_told(noise: float, side: str, scale: float) -> None:
    """A high or low that misses the body by rounding is widened, told of, and not counted as a repair."""
    frame = CLEAN.copy()
    frame[["open", "high", "low", "close"]] *= scale
    body = frame.loc[20, ["open", "close"]].astype(float)
    frame.loc[20, side] = body.max() * (1 - noise) if side == "high" else body.min() * (1 + noise)
    bars = Bars.from_frame(frame)
    assert bars.repaired == 0
    assert any("1 bars whose high or low missed open or close by rounding" in notice for notice in bars.notices)
    assert bars.frame[side].iloc[20] == (body.max() if side == "high" else body.min())


def test_single_precision_prices_pass() -> None:
    """Prices rounded to single precision keep the rules, as rounding keeps order."""
    frame = CLEAN.copy()
    frame[["open", "high", "low", "close"]] = frame[["open", "high", "low", "close"]].astype(np.float32)
    assert Bars.from_frame(frame).repaired == 0


@pytest.mark.parametrize("count", [0, 1, 2, MINIMUM_BARS - 1])
@pytest.mark.parametrize("repair", [False, True])
def test_too_few(count: int, repair: bool) -> None:
    """Fewer than the minimum of bars are refused with both numbers."""
    with pytest.raises(DataError, match=rf"{count} bars are too few; give at least {MINIMUM_BARS}"):
        Bars.from_frame(CLEAN[:count], repair=repair)


def test_centuries_are_refused() -> None:
    """A stamp three centuries from the others, as a broken cell makes it, is refused and not sorted in."""
    frame = CLEAN.copy()
    frame.loc[0, "timestamp"] = pd.Timestamp("1700-01-01")
    for repair in (False, True):
        with pytest.raises(DataError, match=r"from 1700-01-01 00:00:00 to 2015.* span more than 290 years"):
            Bars.from_frame(frame, repair=repair)


def test_newest_first_is_turned_round() -> None:
    """A table sorted newest first becomes the same bars, with a notice."""
    bars = Bars.from_frame(CLEAN[::-1])
    assert bars.digest == Bars.from_frame(CLEAN).digest
    assert any("newest first" in notice for notice in bars.notices)
    assert bars.repaired == 0


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_scrambled_rows(seed: int) -> None:
    """Scrambled rows are refused, and sorted with repair=True."""
    shuffled = CLEAN.sample(frac=1.0, random_state=seed).reset_index(drop=True)
    with pytest.raises(DataError, match="time stamps must increase"):
        Bars.from_frame(shuffled)
    bars = Bars.from_frame(shuffled, repair=True)
    assert bars.digest == Bars.from_frame(CLEAN).digest
    assert bars.repaired > 0


@pytest.mark.parametrize("ratio", SPLITS)
@pytest.mark.parametrize("reverse", [False, True])
def test_split_is_suspected(ratio: float, reverse: bool) -> None:
    """A planted split of any usual ratio gives a warning with its row and ratio; the prices stay."""
    frame = make_bars(COUNT, drift=0.0).frame
    frame[["open", "high", "low", "close"]] = [10.0, 10.05, 9.95, 10.0]
    frame.iloc[40:, :4] *= ratio if reverse else 1 / ratio
    bars = Bars.from_frame(frame)
    sizes = {3 / 2: "3:2"}.get(ratio, f"{ratio}:1")
    sizes = ":".join(sizes.split(":")[::-1]) if reverse else sizes
    warnings = [notice for notice in bars.notices if notice.startswith("warning:")]
    assert len(warnings) == 1
    assert "row 41 " in warnings[0]
    assert f" {sizes} split" in warnings[0]
    np.testing.assert_array_equal(bars.close, frame["close"])


def test_a_crash_within_the_bar_is_no_split() -> None:
    """A fall by half that was traded through is not taken for a split."""
    frame = make_bars(COUNT).frame.copy()
    frame.iloc[41:, :4] *= 0.5
    frame.iloc[40, 0], frame.iloc[40, 3] = frame.iloc[39, 3], frame.iloc[41, 0]
    frame.iloc[40, 1], frame.iloc[40, 2] = frame.iloc[39, 3] * 1.01, frame.iloc[41, 0] * 0.99
    assert not [notice for notice in Bars.from_frame(frame).notices if notice.startswith("warning:")]


def test_many_suspected_splits_are_counted() -> None:
    """More than three jumps like splits are told of in four lines."""
    frame = make_bars(COUNT).frame.copy()
    frame[["open", "high", "low", "close"]] = [10.0, 10.05, 9.95, 10.0]
    for row in range(10, 60, 10):
        frame.iloc[row:, :4] /= 2.0
    warnings = [notice for notice in Bars.from_frame(frame).notices if notice.startswith("warning:")]
    assert len(warnings) == 4
    assert warnings[-1] == "warning: 2 more jumps like unadjusted splits"
