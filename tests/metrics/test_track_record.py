"""The backtest over time: what is kept of the account, and its returns by year or month."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stresslab.metrics.track_record import STRETCHES, period_spans, returns_by_period, thinned_track_record


def walk(count: int, seed: int = 0) -> np.ndarray:
    """An account of so many values."""
    return 100_000 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, count)))


def test_a_long_account_keeps_its_ends_and_extremes() -> None:
    """So that its deepest fall is the same as that of all values, and at most two values a stretch are kept."""
    own, held, stamps = walk(20_001), walk(20_001, 1), pd.date_range("2010-01-01", periods=20_001, freq="h")
    track = thinned_track_record(own, held, stamps)
    assert len(track) <= 2 * STRETCHES + 2
    assert (track["equity"].iloc[[0, -1]].to_numpy() == own[[0, -1]]).all()
    assert (track["equity"].max(), track["equity"].min()) == (own.max(), own.min())
    assert (track["benchmark"].to_numpy() == pd.Series(held, index=stamps)[track.index].to_numpy()).all()
    fall = (own / np.maximum.accumulate(own)).min()
    kept = track["equity"].to_numpy()
    assert (kept / np.maximum.accumulate(kept)).min() == pytest.approx(fall, abs=0.01)


def test_a_short_account_is_kept_whole() -> None:
    """Nothing is thinned that can be drawn."""
    own, stamps = walk(300), pd.bdate_range("2020-01-01", periods=300)
    assert (thinned_track_record(own, own, stamps)["equity"].to_numpy() == own).all()


def test_years_are_those_of_the_account() -> None:
    """Each year's return as pandas resamples it, and together the whole."""
    stamps = pd.bdate_range("2015-06-01", "2019-03-29")
    own, held = walk(len(stamps)), walk(len(stamps), 1)
    rows = returns_by_period(own, held, stamps)
    ends = pd.Series(own, index=stamps).resample("YE").last()
    expected = ends / ends.shift(1).fillna(own[0]) - 1
    assert [row["period"] for row in rows] == ["2015", "2016", "2017", "2018", "2019"]
    assert [row["total_return"] for row in rows] == pytest.approx(expected.tolist())
    assert np.prod([1 + row["benchmark"] for row in rows]) == pytest.approx(held[-1] / held[0])


def test_a_short_backtest_is_told_by_the_month() -> None:
    """A drawdown counts from the value at the end of the month before."""
    stamps = pd.DatetimeIndex(["2020-01-30", "2020-01-31", "2020-02-03", "2020-02-04", "2020-03-02"])
    rows = returns_by_period(np.array([100.0, 110.0, 99.0, 121.0, 121.0]), np.full(5, 100.0), stamps)
    assert [row["period"] for row in rows] == ["2020-01", "2020-02", "2020-03"]
    assert [row["total_return"] for row in rows] == pytest.approx([0.1, 0.1, 0.0])
    assert [row["max_drawdown"] for row in rows] == pytest.approx([0.0, -0.1, 0.0])


def test_ruin_leaves_what_follows_undefined() -> None:
    """An account that is gone returns nothing that could be said in percent."""
    stamps = pd.DatetimeIndex(["2020-01-31", "2020-02-03", "2020-03-02"])
    rows = returns_by_period(np.array([100.0, -5.0, -5.0]), np.full(3, 100.0), stamps)
    assert rows[0]["total_return"] == pytest.approx(-1.05)
    assert rows[1]["total_return"] is None
    assert rows[1]["max_drawdown"] is None


def test_a_thinned_account_keeps_its_deepest_drawdown() -> None:
    """The fall that is drawn is the fall that happened."""
    steps = np.random.default_rng(3).normal(0, 0.01, 20_000)
    equity = 100 * np.exp(np.cumsum(steps))
    times = pd.date_range("2000-01-01", periods=len(equity), freq="h")
    kept = thinned_track_record(equity, equity, times)["equity"].to_numpy()
    whole, thinned = (float((one / np.maximum.accumulate(one)).min()) for one in (equity, kept))
    assert len(kept) < len(equity) / 10
    assert thinned == whole


def test_periods_are_those_of_their_stamps() -> None:
    """Each from its first value to that before the next; years and months."""
    stamps = pd.DatetimeIndex(["2023-12-30", "2023-12-31", "2024-01-01", "2024-01-31", "2024-02-01", "2025-02-01"])
    assert period_spans(stamps, "%Y") == [("2023", 1, 2), ("2024", 2, 5), ("2025", 5, 6)]
    spans = [("2023-12", 1, 2), ("2024-01", 2, 4), ("2024-02", 4, 5), ("2025-02", 5, 6)]
    assert period_spans(stamps, "%Y-%m") == spans
