"""Frames that strategies get: pandas' own numbers, from windows that are laid out once."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.strategy import frames
from stresslab.strategy.frames import DataFrame

ROWS, UNIVERSES = 60, 7


def both() -> tuple[pd.DataFrame, DataFrame]:
    """The same prices, with gaps, as pandas' frame and as ours."""
    values = np.cumsum(np.random.default_rng(5).normal(size=(UNIVERSES, ROWS)), axis=1).T
    values[3:9, 2] = np.nan
    plain = pd.DataFrame(values, index=pd.date_range("2024-01-01", periods=ROWS), columns=np.arange(UNIVERSES))
    return plain, DataFrame(plain)


def assert_same(first: Any, second: Any) -> None:
    """The same bits under the same labels."""
    pd.testing.assert_frame_equal(pd.DataFrame(second), pd.DataFrame(first), check_exact=True)
    assert first.to_numpy().tobytes() == second.to_numpy().tobytes()


@pytest.mark.parametrize("name", ["mean", "sum", "std", "var", "min", "max", "median", "skew", "kurt", "count", "rank"])
@pytest.mark.parametrize(("window", "least"), [(20, None), (20, 5), (1, None), (ROWS + 1, 3), (np.int64(4), 0)])
def test_rolling_is_pandas_bit_for_bit(name: str, window: int, least: int | None) -> None:
    """Every figure of a rolling window has the bits that a plain frame gives."""
    plain, ours = both()
    assert_same(getattr(plain.rolling(window, least), name)(), getattr(ours.rolling(window, least), name)())


@pytest.mark.parametrize(
    "figure",
    [
        lambda frame: frame.rolling(9, closed="left").mean(),
        lambda frame: frame.rolling(9, center=True).mean(),
        lambda frame: frame.rolling("5D").mean(),
        lambda frame: frame.rolling(window=9, min_periods=2, step=3).sum(),
        lambda frame: frame.rolling(9).quantile(0.3),
        lambda frame: frame.rolling(9).corr(frame.shift(1)),
        lambda frame: frame.rolling(9).apply(np.ptp, raw=True),
        lambda frame: frame.rolling(9, win_type="triang").mean(),
        lambda frame: frame.pct_change().rolling(5).std(),
        lambda frame: frame.ewm(span=9).mean(),
    ],
)
def test_other_windows_are_pandas_too(figure: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Windows of other kinds, and figures of what was computed from a frame, are pandas' as well."""
    plain, ours = both()
    assert_same(figure(plain), figure(ours))


def test_windows_are_laid_out_once() -> None:
    """All columns share one layout, and the next call finds it again."""
    frames._trailing.cache_clear()
    _, ours = both()
    (ours * 2).rolling(11).mean()
    ours.rolling(11).max()
    assert (frames._trailing.cache_info().misses, frames._trailing.cache_info().hits) == (1, 1)


def test_another_pandas_computes_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its parts are others, nothing is lost but time: windows are still laid out once."""
    assert frames.KNOWN
    monkeypatch.setattr(frames, "KNOWN", False)
    frames._trailing.cache_clear()
    plain, ours = both()
    assert_same(plain.rolling(11).mean(), ours.rolling(11).mean())
    assert frames._trailing.cache_info().hits == UNIVERSES - 1


def test_gaps_and_the_infinite_are_pandas_too() -> None:
    """What is divided by zero counts as missing, as pandas counts it; whole numbers and truths become fractions."""
    plain, ours = both()
    for make in (lambda one: one / (one > 0), lambda one: one > 0, lambda one: (one > 0).astype(int)):
        assert_same(make(plain).rolling(5, 2).mean(), make(ours).rolling(5, 2).mean())
    assert_same(plain.iloc[:0].rolling(5).mean(), ours.iloc[:0].rolling(5).mean())
    assert_same(plain[[1, 2]].rolling(5)[[2]].mean(), ours[[1, 2]].rolling(5)[[2]].mean())


def outcome(frame: pd.DataFrame, window: Any, least: Any) -> object:
    """The bytes of rolling means, or what is said against them."""
    try:
        return frame.rolling(window, least).mean().to_numpy().tobytes()
    except (ValueError, TypeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize(
    ("window", "least"), [(0, None), (-1, None), (2.5, None), (True, None), (5, 6), (5, -1), (5, "2")]
)
def test_wrong_windows_fail_as_in_pandas(window: Any, least: Any) -> None:
    """What pandas refuses is refused in its words; an empty window gives what it gives there."""
    plain, ours = both()
    assert outcome(plain, window, least) == outcome(ours, window, least)


def test_it_travels() -> None:
    """A frame is pickled and copied as what it is."""
    _, ours = both()
    again = pickle.loads(pickle.dumps(ours))
    assert type(again) is DataFrame
    assert_same(ours, again)
    assert type(ours.copy()) is DataFrame
    assert type(ours[0]) is pd.Series
