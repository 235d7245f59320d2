"""Tear sheets recomputed by plain pandas, for daily and intraday bars."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from stresslab.metrics.performance import bar_returns, sharpe
from stresslab.metrics.tear_sheet import (
    POINTS,
    monthly_returns,
    rolling_sharpe,
    rolling_window,
    tear_sheet,
    worst_drawdowns,
)

STAMPS = {
    "daily": (pd.bdate_range("2015-11-20", periods=1200), 252.0),
    "hourly": (pd.date_range("2023-06-29 20:00", periods=24 * 800, freq="h"), 8760.0),
    "15 minutes": (pd.date_range("2024-01-31 22:00", periods=9000, freq="15min"), 35040.0),
}


@pytest.fixture(params=list(STAMPS))
def account(request: pytest.FixtureRequest) -> tuple[pd.Series, float]:
    """An account by time, and bars a year."""
    stamps, periods = STAMPS[request.param]
    steps = np.random.default_rng(len(stamps)).normal(3e-4, 0.01, len(stamps))
    return pd.Series(100_000 * np.exp(np.cumsum(steps)), index=stamps), periods


def test_rolling_sharpe_is_that_of_pandas(account: tuple[pd.Series, float]) -> None:
    """Mean over deviation of the last bars, annualised by the bars' own frequency; the last is `sharpe` itself."""
    equity, periods = account
    values, window = equity.to_numpy(), 200
    found = rolling_sharpe(values, periods, window, risk_free=0.03)
    returns = equity.pct_change().iloc[1:] - 0.03 / periods
    expected = returns.rolling(window).mean() / returns.rolling(window).std() * math.sqrt(periods)
    np.testing.assert_allclose(found, expected.to_numpy(), rtol=1e-6, atol=1e-8)
    assert np.isnan(found[: window - 1]).all()
    last = sharpe(bar_returns(values[:, None])[-window:], periods, 0.03)[0]
    assert found[-1] == pytest.approx(last)


def test_months_and_years_are_those_of_pandas(account: tuple[pd.Series, float]) -> None:
    """Each month from the last value before it to its last, and the months of a year make the year."""
    equity, _ = account
    rows = monthly_returns(equity.to_numpy(), equity.index)
    ends = pd.concat([equity.iloc[:1].set_axis(equity.index[:1] - pd.Timedelta("400D")), equity.resample("ME").last()])
    expected = ends.pct_change().iloc[1:]
    found = {(row["year"], month): value for row in rows for month, value in enumerate(row["months"], 1)}
    assert {key for key, value in found.items() if value is not None} == {(at.year, at.month) for at in expected.index}
    for at, value in expected.items():
        assert found[at.year, at.month] == pytest.approx(value)
    for row in rows:
        assert np.prod([1 + value for value in row["months"] if value is not None]) == pytest.approx(
            1 + row["total_return"]
        )


def test_drawdowns_are_those_of_a_plain_loop(account: tuple[pd.Series, float]) -> None:
    """Spells below the running maximum one after another, the deepest first, with their dates and lengths."""
    equity, _ = account
    falls = equity / equity.cummax() - 1
    spells = (falls == 0).cumsum()
    expected = []
    for _, spell in falls.groupby(spells):
        if spell.min() < 0:
            after = falls.index[falls.index > spell.index[-1]]
            end = after[0] if len(after) else None
            expected.append((spell.min(), spell.index[0], spell.idxmin(), end, (end or spell.index[-1])))
    expected.sort(key=lambda row: row[0])
    found = worst_drawdowns(equity.to_numpy(), equity.index)
    assert len(found) == 5
    for row, (depth, start, low, end, last) in zip(found, expected, strict=False):
        assert row["depth"] == pytest.approx(depth)
        assert (row["start"], row["low"]) == (str(start), str(low))
        assert row["end"] == (None if end is None else str(end))
        assert row["days"] == pytest.approx((last - start).total_seconds() / 86_400)
        assert row["bars"] == equity.index.get_loc(last) - equity.index.get_loc(start)
    assert found[0]["depth"] == pytest.approx(falls.min())


def test_a_fall_without_recovery_has_no_end() -> None:
    """It lasts to the last bar, and an account that never fell has none."""
    days = pd.date_range("2024-01-01", periods=5)
    (row,) = worst_drawdowns(np.array([100.0, 120.0, 90.0, 100.0, 110.0]), days)
    assert row == {
        "depth": -0.25, "start": "2024-01-02 00:00:00", "low": "2024-01-03 00:00:00", "end": None, "bars": 3,
        "days": 3.0,
    }  # fmt: skip
    assert worst_drawdowns(np.array([1.0, 1.0, 2.0]), days[:3]) == []


def test_nothing_left_returns_nothing() -> None:
    """After ruin a month has no return; the first value of all belongs to no month."""
    stamps = pd.DatetimeIndex(["2024-01-30", "2024-01-31", "2024-02-01", "2024-03-01"])
    (row,) = monthly_returns(np.array([100.0, 110.0, -5.0, -5.0]), stamps)
    assert row["months"][0] == pytest.approx(0.1)
    assert row["months"][1] == pytest.approx(-5 / 110 - 1)
    assert row["months"][2:] == [None] * 10


@pytest.mark.parametrize(
    ("bars", "periods", "window"),
    [(5000, 252, 126), (5000, 8760, 1250), (40_000, 8760, 4380), (300, 52, 30), (119, 252, None), (120, 252, 30)],
)
def test_the_window_is_half_a_year(bars: int, periods: float, window: int | None) -> None:
    """Half a year of bars of any length, a quarter of a short account, nothing of a very short one."""
    assert rolling_window(bars, periods) == window


def test_a_tear_sheet_is_thinned(account: tuple[pd.Series, float]) -> None:
    """So many values of the ratio are kept, the last among them, each at its own time; flat accounts have none."""
    equity, periods = account
    found = tear_sheet(equity.to_numpy(), equity.index, periods)
    rolling = found["rolling_sharpe"]
    assert len(rolling["values"]) == len(rolling["times"]) == POINTS
    whole = pd.Series(rolling_sharpe(equity.to_numpy(), periods, rolling["window"]), index=equity.index[1:])
    assert rolling["times"][-1] == str(equity.index[-1])
    for time, value in zip(rolling["times"][::40], rolling["values"][::40], strict=True):
        assert value == pytest.approx(whole[pd.Timestamp(time)], rel=1e-5)
    flat = tear_sheet(np.full(400, 100.0), equity.index[:400], periods)
    assert set(flat["rolling_sharpe"]["values"]) == {None}
    assert flat["drawdowns"] == []
    assert tear_sheet(equity.to_numpy()[:50], equity.index[:50], periods)["rolling_sharpe"] is None
