"""What a strategy sees, read-only, and what it may answer with, checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.core.errors import StrategyError
from stresslab.data.bars import FIELDS
from stresslab.strategy.panel import Decisions
from tests.make.bars import make_bars
from tests.strategy.cases import ONE, PANEL, WALKS, complaint, load, make_panel


@given(history=st.integers(1, 40), horizon=st.integers(2, 20), warmup=st.integers(0, 60), universes=st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_panel_rows(history: int, horizon: int, warmup: int, universes: int) -> None:
    """A panel is the last history bars, at most `warmup`, and then the universes' bars, field by field."""
    panel = make_panel(universes, horizon, history, warmup)
    known = min(warmup, history)
    assert (panel.warmup, panel.shape) == (known, (known + horizon, universes))
    past = make_bars(200)[: history + horizon]
    for name in FIELDS:
        frame = getattr(panel, name)
        assert frame.shape == panel.shape
        assert frame.index.equals(past.timestamps[history - known :])
        assert list(frame.columns) == list(panel.ids)
        own = np.stack([WALKS[seed].values[:horizon, FIELDS.index(name)] for seed in range(universes)], 1)
        np.testing.assert_array_equal(frame.iloc[known:], own)
        expected = past[:history].values[history - known :, FIELDS.index(name)]
        np.testing.assert_array_equal(frame.iloc[:known], np.tile(expected[:, None], universes))


@given(rows=st.integers(1, 80))
@settings(max_examples=25, deadline=None)
def test_panel_until(rows: int) -> None:
    """A panel cut after some rows is the beginning of the whole one, and its warm-up never exceeds its rows."""
    cut = PANEL.until(rows)
    pd.testing.assert_frame_equal(cut.close, PANEL.close.iloc[:rows], check_freq=False)
    assert cut.timestamps.equals(PANEL.timestamps[:rows])
    assert cut.warmup == min(50, rows)


def fill(frame: pd.DataFrame) -> None:
    """Replace in place."""
    frame.fillna(0.0, inplace=True)


def scale(frame: pd.DataFrame) -> None:
    """Assign to a block of cells."""
    frame.iloc[1:3, 0] = 2.0


def select(frame: pd.DataFrame) -> None:
    """Assign by a mask."""
    frame[frame > 1.0] = 0.0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda bars: bars.close.values.__setitem__(0, 1.0),
        lambda bars: bars.close.to_numpy().sort(axis=0),
        lambda bars: bars.array("volume").__iadd__(1.0),
        lambda bars: setattr(bars, "close", 0.0),
        lambda bars: fill(bars.high),
        lambda bars: scale(bars.low),
        lambda bars: select(bars.open),
    ],
)
def test_panel_is_read_only(spoil: Callable[[Any], object]) -> None:
    """A strategy that writes into its bars is stopped and told to copy, and the bars stay as they were."""
    panel = make_panel()
    before = {name: panel.array(name).copy() for name in FIELDS}

    def weights(bars: Any) -> Any:
        spoil(bars)
        return bars.close * 0

    assert complaint(weights, panel).endswith("the bars are read-only, work on a copy")
    for name in FIELDS:
        np.testing.assert_array_equal(panel.array(name), before[name])


def test_frames_are_handed_out_one_by_one() -> None:
    """What a strategy does to its own frame, a new column or other labels, does not show in the next frame."""
    first = PANEL.close
    first["new"] = 1.0
    first.columns = list("abcd")
    assert list(PANEL.close.columns) == list(PANEL.ids)


def test_pair_and_four() -> None:
    """A pair of boolean frames are long signals; four are long and short ones."""
    up = PANEL.close > PANEL.open
    pair = load(lambda bars: (bars.close > bars.open, bars.close < bars.open)).decide(PANEL)
    four = load(lambda bars: (up, ~up, ~up, up)).decide(PANEL)
    assert pair.short_entries is None
    assert not pair.is_weights
    for answer in (pair, four):
        np.testing.assert_array_equal(answer.long_entries, up)
        assert all(array.dtype == bool and array.shape == PANEL.shape for array in answer.arrays().values())
    np.testing.assert_array_equal(four.short_exits, up)


def test_weights_keep_their_nan() -> None:
    """NaN in weights means keep, so it arrives as NaN; whole numbers and True become floats."""
    decisions = load(lambda bars: bars.close.where(bars.close > bars.open)).decide(PANEL)
    assert decisions.is_weights
    assert decisions.weights is not None
    np.testing.assert_array_equal(decisions.weights, PANEL.close.where(PANEL.close > PANEL.open))
    for dtype in (int, bool, "Float64", object):
        answer = load(lambda bars, dtype=dtype: (bars.close > bars.open).astype(dtype)).decide(PANEL).weights
        np.testing.assert_array_equal(answer, (PANEL.close > PANEL.open).astype(float))


def test_arrays_and_series() -> None:
    """Arrays of the right shape are as good as frames; a Series is, where there is one universe."""
    decisions = load(lambda bars: (bars.close.to_numpy() > 0, bars.close.to_numpy() < 0)).decide(PANEL)
    assert decisions.long_entries is not None
    assert decisions.long_entries.all()
    alone = load(lambda bars: bars.close.iloc[:, 0] * 0).decide(ONE)
    assert alone.weights is not None
    assert alone.weights.shape == ONE.shape


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "object", "boolean"])
def test_zero_and_one_are_false_and_true(dtype: str) -> None:
    """Signals of another type are accepted when they are strictly 0 and 1."""
    up = PANEL.close > PANEL.open
    decisions = load(lambda bars: (up.astype(dtype), (~up).astype(dtype))).decide(PANEL)
    np.testing.assert_array_equal(decisions.long_entries, up)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda c: None, "weights is a NoneType; return a frame"),
        (lambda c: 1.0, "weights is a float; return a frame"),
        (lambda c: c.iloc[1:], "weights has shape (79, 3), bars.close has (80, 3)"),
        (lambda c: c.dropna().mean(axis=1), "weights is a Series of 80 for 3 universes; return a frame"),
        (lambda c: c.to_numpy()[:, :2], "weights has shape (80, 2), bars.close has (80, 3)"),
        (lambda c: c.iloc[::-1], "weights has another index"),
        (lambda c: pd.DataFrame(c.to_numpy(), index=c.index), "weights has other columns"),
        (lambda c: c.map(str), "weights are object, not numbers"),
        (lambda c: c.astype("datetime64[ns]"), "not numbers"),
        (lambda c: c / 0, f"weights are infinite at {PANEL.timestamps[0]}"),
        (lambda c: c * np.nan, "every weight in 80 rows is NaN, so it can never trade"),
        (lambda c: (c > 0,), "signals returned 1 values; return (entries, exits)"),
        (lambda c: (c > 0, c > 0, c > 0), "signals returned 3 values"),
        (lambda c: (c > 0, c < 0, c, c < 0), "short_entries is float64 and not only True or False"),
        (lambda c: (c > 0, (c > 0).astype(int) * 2), "long_exits is int64 and not only True or False"),
        (lambda c: ((c > 0).shift(), c < 0), f"long_entries has NaN at {PANEL.timestamps[0]}; use .fillna(False)"),
        (lambda c: (c.map(str), c < 0), "long_entries is object and not only True or False"),
        (lambda c: (c > 0, False), "long_exits is a bool; return a frame"),
    ],
)
def test_wrong_answers(answer: Callable[[pd.DataFrame], Any], words: str) -> None:
    """An answer that is no decision is refused in one line that says what it is and what to return."""

    def mine(bars: Any) -> Any:
        return answer(bars.close)

    text = complaint(mine)
    assert text.startswith("strategy 'mine': ")
    assert words in text


def test_names_bind() -> None:
    """A function called signals must answer with signals, and one called weights with weights."""

    def signals(bars: Any) -> Any:
        return bars.close * 0

    def weights(bars: Any) -> Any:
        return bars.close > 0, bars.close < 0

    assert "signals returned DataFrame; return (entries, exits)" in complaint(signals)
    assert "weights is a tuple; return a frame" in complaint(weights)


def test_part_of_a_panel_is_the_panel_of_a_part() -> None:
    """Some of its universes, with their ids, see the same rows."""
    part = PANEL.take(slice(1, 3))
    assert part.ids.tolist() == PANEL.ids[1:].tolist()
    pd.testing.assert_frame_equal(part.close, PANEL.close.iloc[:, 1:], check_freq=False)


@pytest.mark.parametrize(
    ("name", "words"), [("clse", "did you mean 'close'"), ("funding", "there are no other symbols")]
)
def test_what_bars_do_not_have_is_named(name: str, words: str) -> None:
    """As an attribute and as a key: the nearest field, or all that there are; private names stay plain."""
    with pytest.raises(AttributeError, match=words):
        getattr(PANEL, name)
    with pytest.raises(LookupError, match=words):
        PANEL[name]
    with pytest.raises(AttributeError, match=r"^_x$"):
        PANEL._x  # noqa: B018 - looking it up is the test


def test_universes_are_put_side_by_side() -> None:
    """In the order given, and only decisions of one kind."""
    one, two = Decisions(weights=np.zeros((4, 2))), Decisions(weights=np.ones((4, 1)))
    together = Decisions.side_by_side([one, two])
    assert together.weights.tolist() == [[0, 0, 1]] * 4
    signals = Decisions(np.zeros((4, 1), bool), np.zeros((4, 1), bool))
    with pytest.raises(StrategyError, match="long_entries, long_exits in one universe and with weights in another"):
        Decisions.side_by_side([signals, two])


def test_flat_decisions_are_of_the_same_kind() -> None:
    """One universe that never holds anything, read-only."""
    flat = Decisions(weights=np.ones((4, 3))).flat()
    assert flat.weights.tolist() == [[0.0]] * 4
    with pytest.raises(ValueError, match="read-only"):
        flat.weights[0] = 1.0
